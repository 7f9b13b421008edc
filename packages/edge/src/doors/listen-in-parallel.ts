import type { AddressInfo, Server } from 'node:net'
import type { HostPort } from '@hawser/core'
import { listen, stopListening } from './listen.ts'

/** Sockets that listen on one address: so many connections are accepted in a turn of the event loop. */
const SOCKETS = 8

/** At least one, all on the same port. */
export type Listening = readonly [Server, ...Server[]]

/**
 * Listens on several sockets at once where the kernel shares an address out among them (Linux). libuv accepts one connection of
 * each listening socket in a turn of its loop, and a turn of an edge with hundreds of busy flows takes some 20 ms: with one
 * socket, the hundred that come back after a fault queued for two seconds.
 *
 * @param create makes a server that does not listen yet
 * @param what the address, for the message
 * @throws {HawserError} `listen_failed`; none of them listens then
 */
export async function listenInParallel(create: () => Server, address: HostPort, what: string): Promise<Listening> {
  const { host } = address
  const alone = create()
  if (process.platform !== 'linux') {
    await listen(alone, { host, port: address.port }, what)
    return [alone]
  }
  // Shared, an address that somebody else shares as well would not count as in use: so first it is tried alone.
  alone.on('connection', (socket) => socket.destroy())
  await listen(alone, { host, port: address.port }, what)
  const { port } = alone.address() as AddressInfo
  await stopListening(alone)
  const servers: Listening = [create(), ...Array.from({ length: SOCKETS - 1 }, create)]
  const started = await Promise.allSettled(
    servers.map((server) => listen(server, { host, port, reusePort: true }, what)),
  )
  const failed = started.find((result) => result.status === 'rejected')
  if (failed === undefined) return servers
  await Promise.all(servers.filter(({ listening }) => listening).map(stopListening))
  throw failed.reason
}
