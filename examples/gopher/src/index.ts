import { connect } from 'cloudflare:sockets'

const SERVER = { hostname: 'gopher.floodgap.com', port: 70 }

export default {
  async fetch(request): Promise<Response> {
    const { pathname } = new URL(request.url)
    try {
      const socket = connect(SERVER)
      const writer = socket.writable.getWriter()
      await writer.write(new TextEncoder().encode(`${pathname}\r\n`))
      await writer.close() // the answer still comes: only this direction has ended
      return new Response(socket.readable, { headers: { 'Content-Type': 'text/plain' } })
    } catch (error) {
      return new Response(`Gopher is not there: ${String(error)}\n`, { status: 502 })
    }
  },
} satisfies ExportedHandler
