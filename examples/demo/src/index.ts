import { Client } from 'pg'

interface Env {
  PRIVATE: Fetcher
  DATABASE_URL: string
  INVENTORY_URL: string
}

interface Refusal {
  call: string
  answer: string
}

/** Rows by the unchanged `pg` driver: its `connect()` reaches the database through the tunnel. */
async function ships(env: Env): Promise<unknown[]> {
  const client = new Client({ connectionString: env.DATABASE_URL })
  await client.connect()
  try {
    const { rows } = await client.query('SELECT name, berth, tons FROM ships ORDER BY berth')
    return rows
  } finally {
    await client.end()
  }
}

/** A private HTTP API, by the binding. */
async function inventory(env: Env): Promise<unknown> {
  const response = await env.PRIVATE.fetch(`${env.INVENTORY_URL}/stores`)
  return response.json()
}

/** Calls that must not get through, and what the Worker sees instead. */
async function refusals(env: Env): Promise<Refusal[]> {
  const answer = async (call: string, attempt: () => Promise<string>): Promise<Refusal> => {
    try {
      return { call, answer: await attempt() }
    } catch (error) {
      return { call, answer: String(error) }
    }
  }
  const text = async (response: Response): Promise<string> => `${response.status} ${(await response.text()).trim()}`
  return Promise.all([
    answer(`fetch("${env.INVENTORY_URL}/stores")`, async () => text(await fetch(`${env.INVENTORY_URL}/stores`))),
    answer('fetch("http://169.254.169.254/latest/meta-data/")', async () =>
      text(await fetch('http://169.254.169.254/latest/meta-data/')),
    ),
    answer('env.PRIVATE.fetch("http://10.9.8.7/")', async () => text(await env.PRIVATE.fetch('http://10.9.8.7/'))),
    answer('env.PRIVATE.connect("localhost:1")', async () => {
      const socket = await env.PRIVATE.connect('localhost:1')
      await socket.opened
      return 'connected'
    }),
  ])
}

export default {
  async fetch(request, env): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/ships') return Response.json(await ships(env))
    if (pathname === '/stores') return Response.json(await inventory(env))
    if (pathname === '/refused') return Response.json(await refusals(env))
    if (pathname !== '/') return new Response('Not found\n', { status: 404 })
    return Response.json({ ships: await ships(env), stores: await inventory(env), refused: await refusals(env) })
  },
} satisfies ExportedHandler<Env>
