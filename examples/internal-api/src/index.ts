interface Env {
  INVENTORY: Fetcher
  API_TOKEN: string
}

interface Item {
  readonly name: string
  readonly count: number
}

/** The host of the URL sets the `Host` field; where the call goes is registered with the service. */
function call(env: Env, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${env.API_TOKEN}` }
  return env.INVENTORY.fetch(`http://inventory.internal${path}`, { ...init, headers })
}

export default {
  async fetch(request, env): Promise<Response> {
    const { pathname } = new URL(request.url)
    try {
      if (request.method === 'POST') {
        const { name, count } = await request.json<Item>()
        const created = await call(env, '/items', { method: 'POST', body: JSON.stringify({ name, count }) })
        if (!created.ok) return new Response('The inventory does not take this item\n', { status: created.status })
        return new Response(created.body, { status: 201, headers: { 'Content-Type': 'application/json' } })
      }
      const answer = await call(env, `/items${pathname}`)
      if (answer.status === 404) return new Response('No such item\n', { status: 404 })
      const item = await answer.json<Item>()
      return Response.json({ name: item.name, inStock: item.count > 0 })
    } catch (error) {
      // A connection that cannot be made is an exception, never an answer.
      return Response.json({ error: String(error) }, { status: 502 })
    }
  },
} satisfies ExportedHandler<Env>
