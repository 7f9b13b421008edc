import { Feed } from './feed.ts'

export { Feed }

interface Env {
  FEED: DurableObjectNamespace<Feed>
}

export default {
  async fetch(request, env): Promise<Response> {
    const symbol = new URL(request.url).pathname.slice(1)
    return Response.json(await env.FEED.getByName('prices').price(symbol))
  },
} satisfies ExportedHandler<Env>
