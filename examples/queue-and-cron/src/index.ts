import { connect } from 'cloudflare:sockets'

interface Sale {
  readonly shop: string
  readonly amount: number
}

interface Env {
  SALES: Queue<Sale>
  GRAPHITE: string
}

/** Lines of Graphite's plaintext protocol: path, value and seconds since 1970. */
async function report(env: Env, metrics: readonly (readonly [path: string, value: number])[]): Promise<void> {
  const seconds = Math.floor(Date.now() / 1000)
  const lines = metrics.map(([path, value]) => `${path} ${value} ${seconds}\n`)
  const socket = connect(env.GRAPHITE)
  const writer = socket.writable.getWriter()
  await writer.write(new TextEncoder().encode(lines.join('')))
  await writer.close()
  await socket.close()
}

export default {
  async fetch(request, env): Promise<Response> {
    await env.SALES.send(await request.json<Sale>())
    return new Response('Queued\n', { status: 202 })
  },

  /** Fails as a whole if Graphite cannot be reached: the queue delivers the batch again. */
  async queue(batch, env): Promise<void> {
    await report(
      env,
      batch.messages.map(({ body }) => [`sales.${body.shop}`, body.amount] as const),
    )
  },

  async scheduled(_controller, env): Promise<void> {
    await report(env, [['worker.alive', 1]])
  },
} satisfies ExportedHandler<Env, Sale>
