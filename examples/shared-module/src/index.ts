/** In a Worker. */
import { connect } from 'cloudflare:sockets'
import { finger } from './finger.ts'

interface Env {
  DIRECTORY: string
}

export default {
  async fetch(request, env): Promise<Response> {
    const user = decodeURIComponent(new URL(request.url).pathname.slice(1))
    return new Response(await finger(connect, env.DIRECTORY, user))
  },
} satisfies ExportedHandler<Env>
