import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import type { Duplex } from 'node:stream'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { createAuthority } from './certificates.ts'

/** The two ends of one connection: the side that dialled, and the side that was dialled. */
export type Pair<T extends Duplex = Duplex> = readonly [client: T, server: T]

/** Two streams in memory, joined back to back. They know no reset. */
export function memoryPair(): Pair {
  return duplexPair()
}

/** A TCP connection over loopback; half-open allowed at both ends. */
export async function tcpPair(): Promise<Pair<Socket>> {
  const server = createServer({ allowHalfOpen: true, noDelay: true })
  const port = await listen(server)
  const accepted = once(server, 'connection')
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  const [[peer]] = await Promise.all([accepted, once(client, 'connect')])
  server.close()
  return [client, peer as Socket]
}

/** A TLS 1.3 connection over loopback, both ends past the handshake. */
export async function tlsPair(): Promise<Pair<TLSSocket>> {
  const authority = await createAuthority()
  const { certPem, keyPem } = await authority.issue()
  const server = createTlsServer({ cert: certPem, key: keyPem, minVersion: 'TLSv1.3', noDelay: true })
  const port = await listen(server)
  const accepted = once(server, 'secureConnection')
  const client = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: authority.caPem })
  client.setNoDelay(true)
  const [[peer]] = await Promise.all([accepted, once(client, 'secureConnect')])
  server.close()
  return [client, peer as TLSSocket]
}

/** One suite over every kind of transport: `for (const [name, pair] of Object.entries(PAIRS)) …` */
export const PAIRS: Readonly<Record<'memory' | 'TCP' | 'TLS', () => Promise<Pair>>> = {
  memory: () => Promise.resolve(memoryPair()),
  TCP: tcpPair,
  TLS: tlsPair,
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}
