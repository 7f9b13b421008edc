/** The private service of the TLS cases: the same echo in clear and under TLS. */
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { once } from 'node:events'
import { createServer as createTlsServer } from 'node:tls'
import { LOOPBACK, portOf } from '../ports.ts'
import { serveRole } from '../role.ts'
import { MESSAGE_BYTES } from '../load/message.ts'

const ANSWER = Buffer.alloc(MESSAGE_BYTES, 0x62)
const BACKLOG = 4_096

function serveEcho(socket: Socket): void {
  let pending = 0
  socket.on('error', () => socket.destroy()) // a load generator that stops in mid-exchange
  socket.on('data', (chunk: Buffer) => {
    for (pending += chunk.length; pending >= MESSAGE_BYTES; pending -= MESSAGE_BYTES) socket.write(ANSWER)
  })
}

async function listen(server: Server): Promise<number> {
  server.listen(0, LOOPBACK, BACKLOG)
  await once(server, 'listening')
  return portOf(server)
}

export interface Ports {
  readonly clear: number
  readonly secure: number
}

const operations = {
  async listen(certificate: { readonly cert: string; readonly key: string }): Promise<Ports> {
    const secure = createTlsServer({ ...certificate, noDelay: true }, serveEcho)
    secure.on('tlsClientError', (_error, socket) => socket.destroy())
    return { clear: await listen(createServer({ noDelay: true }, serveEcho)), secure: await listen(secure) }
  },
}
export type TlsTargetOperations = typeof operations

serveRole(operations)
