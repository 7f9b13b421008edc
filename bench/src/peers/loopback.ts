import type { Peer } from './peer.ts'

/** No middle at all: what load generator and target could do by themselves. */
export const loopback: Peer = {
  name: 'loopback',
  absence: () => Promise.resolve(undefined),
  start: (_scope, targetPort) => Promise.resolve({ port: targetPort, processes: [] }),
}
