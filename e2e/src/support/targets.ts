import { createHash } from 'node:crypto'
import { createServer as createHttpServer } from 'node:http'
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'

/** A server in the private network of a test. */
export interface Target extends AsyncDisposable {
  /** `127.0.0.1:port`, as the Worker names it: the connector's own machine. */
  readonly address: string
  readonly port: number
}

async function listen(server: Server | HttpServer, sockets: Set<Socket>): Promise<Target> {
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {}) // the test judges by what the Worker saw
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    address: `127.0.0.1:${port}`,
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A TCP server; `serve` gets each connection, half-open allowed. */
export function tcpTarget(serve: (socket: Socket) => void): Promise<Target> {
  return listen(createServer({ allowHalfOpen: true }, serve), new Set())
}

export function httpTarget(serve: (request: IncomingMessage, response: ServerResponse) => void): Promise<Target> {
  return listen(createHttpServer(serve), new Set())
}

/** `bytes` bytes that differ all along, produced as they are asked for, 64 KiB at a time. */
export function* patternChunks(bytes: number): Generator<Buffer> {
  const size = 65_536
  for (let offset = 0; offset < bytes; offset += size) {
    const chunk = Buffer.alloc(Math.min(size, bytes - offset), offset / size)
    chunk.writeUInt32BE(offset / size, 0)
    yield chunk
  }
}

export function patternHash(bytes: number): string {
  const hash = createHash('sha256')
  for (const chunk of patternChunks(bytes)) hash.update(chunk)
  return hash.digest('hex')
}

/** SHA-256 of a request's body, and how long it was. */
export async function hashBody(body: AsyncIterable<Uint8Array>): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.byteLength
    hash.update(chunk)
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** Answers with `bytes` bytes of the pattern, as fast as they are read. */
export function sendPattern(response: ServerResponse, bytes: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes })
  return pipeline(patternChunks(bytes), response)
}
