import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** One connection that passed through a tap, byte by byte. */
export interface TappedConnection {
  /** What came from the side of the client. */
  sent(): Buffer
  /** What came from the server. */
  received(): Buffer
}

/** A TCP relay in front of a server that writes down what passes. */
export interface WireTap extends AsyncDisposable {
  readonly port: number
  readonly connections: readonly TappedConnection[]
}

/** Passes on bytes and ends from one side to the other, and keeps the bytes. */
function record(from: Socket, to: Socket): () => Buffer {
  const chunks: Buffer[] = []
  from.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    to.write(chunk)
  })
  from.once('end', () => to.end())
  from.on('error', () => to.resetAndDestroy())
  from.once('close', () => to.destroySoon())
  return () => Buffer.concat(chunks)
}

/** Listens on loopback and relays to `targetPort` there. */
export async function startTap(targetPort: number): Promise<WireTap> {
  const connections: TappedConnection[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const target = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    for (const socket of [client, target]) {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    }
    connections.push({ sent: record(client, target), received: record(target, client) })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Content types of TLS records (RFC 8446 section 5.1). */
const CONTENT_TYPES: Readonly<Record<number, string>> = {
  20: 'change_cipher_spec',
  21: 'alert',
  22: 'handshake',
  23: 'application_data',
}
const HEADER_BYTES = 5
/** RFC 8446 section 5.2. */
const MAX_RECORD_BYTES = 16_384 + 256

/**
 * Reads bytes that must be TLS records and nothing else, to the last byte.
 *
 * @returns the type of each
 * @throws {Error} naming the first byte that is no record
 */
export function tlsRecordTypes(bytes: Buffer): string[] {
  const types: string[] = []
  for (let at = 0; at < bytes.length;) {
    const type = CONTENT_TYPES[bytes.readUInt8(at)]
    const rest = bytes.length - at
    const length = rest < HEADER_BYTES ? Number.POSITIVE_INFINITY : bytes.readUInt16BE(at + 3)
    const isRecord = type !== undefined && rest >= HEADER_BYTES && bytes.readUInt8(at + 1) === 3
    if (!isRecord || length > MAX_RECORD_BYTES || length > rest - HEADER_BYTES) {
      const shown = JSON.stringify(bytes.toString('latin1', at, at + 40))
      throw new Error(`byte ${at} of ${bytes.length} begins no TLS record: ${shown}`)
    }
    types.push(type)
    at += HEADER_BYTES + length
  }
  return types
}
