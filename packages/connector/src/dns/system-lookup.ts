import { lookup } from 'node:dns/promises'
import type { Answer, Lookup } from './lookup.ts'

/** The system tells no time to live: long enough for a burst of connections, short enough for any fail-over. */
const TTL_MS = 1_000

/** The host's own resolver: /etc/hosts, search domains, mDNS, whatever this machine is set up to use. */
export const systemLookup: Lookup = async (name): Promise<Answer> => {
  const found = await lookup(name, { all: true, order: 'verbatim' })
  return { addresses: found.map(({ address }) => address), ttlMs: TTL_MS }
}
