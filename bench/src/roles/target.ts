/** The private service behind every side: as little work as a server can do, so that what is measured is the middle. */
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { once } from 'node:events'
import { LOOPBACK, portOf } from '../ports.ts'
import { serveRole } from '../role.ts'
import { MESSAGE_BYTES } from '../load/message.ts'

/**
 * `source` sends as much as is taken, `sink` takes as much as is sent; `echo` answers every message of {@link MESSAGE_BYTES}
 * with one; `http` answers every request that has no body.
 */
export type Service = 'source' | 'sink' | 'echo' | 'http'

const CHUNK = Buffer.alloc(256 * 1024, 0x61)
const ANSWER = Buffer.alloc(MESSAGE_BYTES, 0x62)
const BODY = 'hello from the private network\n'
const HTTP_ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
)
const HEAD_END = '\r\n\r\n'

function serveSource(socket: Socket): void {
  const fill = (): void => {
    while (!socket.destroyed && socket.write(CHUNK));
  }
  socket.on('drain', fill)
  socket.resume()
  fill()
}

function serveEcho(socket: Socket): void {
  let pending = 0
  socket.on('data', (chunk: Buffer) => {
    for (pending += chunk.length; pending >= MESSAGE_BYTES; pending -= MESSAGE_BYTES) socket.write(ANSWER)
  })
}

function serveHttp(socket: Socket): void {
  let rest = ''
  socket.on('data', (chunk: Buffer) => {
    const heads = (rest + chunk.toString('latin1')).split(HEAD_END)
    rest = heads.pop() ?? ''
    for (const _head of heads) socket.write(HTTP_ANSWER)
  })
}

const SERVE: Readonly<Record<Service, (socket: Socket) => void>> = {
  source: serveSource,
  sink: (socket) => socket.resume(),
  echo: serveEcho,
  http: serveHttp,
}

const BACKLOG = 4_096
const servers: Server[] = []

const operations = {
  /** Starts one service on loopback and gives its port. */
  async listen(service: Service): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => socket.destroy()) // a load generator that stops in mid-stream
      SERVE[service](socket)
    })
    servers.push(server)
    server.listen(0, LOOPBACK, BACKLOG)
    await once(server, 'listening')
    return portOf(server)
  },
}
export type TargetOperations = typeof operations

serveRole(operations)
