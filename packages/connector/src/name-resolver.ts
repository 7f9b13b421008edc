import { lookup } from 'node:dns/promises'
import { HawserError } from '@hawser/core'
import { canonicalAddress } from './target-host.ts'

/** Address literals of a name, the preferred first. */
export type Lookup = (name: string) => Promise<readonly string[]>

/** The host's own resolver: /etc/hosts, search domains, mDNS, whatever this machine is set up to use. */
export const systemLookup: Lookup = async (name) => {
  const found = await lookup(name, { all: true, order: 'verbatim' })
  return found.map(({ address }) => address)
}

/** Names being looked up at one time. A lookup holds a thread of the pool and cannot be cancelled. */
const MAX_PENDING = 1024

/**
 * Resolves the names of targets. Calls that want the same name while it is being looked up share one answer: a burst of
 * connections to one database costs one lookup, and nothing is remembered after it.
 */
export class NameResolver {
  readonly #lookup: Lookup
  readonly #pending = new Map<string, Promise<readonly string[]>>()

  constructor(lookupName: Lookup = systemLookup) {
    this.#lookup = lookupName
  }

  /**
   * Canonical addresses without duplicates, at least one. `localhost` never asks a resolver: it is this machine.
   *
   * @throws {HawserError} `dns_error`, `connection_limit_reached`; or what the lookup threw
   */
  resolve(name: string): Promise<readonly string[]> {
    if (name === 'localhost' || name === 'localhost.') return Promise.resolve(['127.0.0.1', '::1']) // RFC 6761, 6.3
    const running = this.#pending.get(name)
    if (running !== undefined) return running
    if (this.#pending.size >= MAX_PENDING) {
      const message = `${name}: ${MAX_PENDING} other names are being looked up`
      return Promise.reject(new HawserError('connection_limit_reached', message))
    }
    const answer = this.#ask(name).finally(() => this.#pending.delete(name))
    this.#pending.set(name, answer)
    return answer
  }

  async #ask(name: string): Promise<readonly string[]> {
    const found = await this.#lookup(name)
    const addresses = new Set<string>()
    for (const text of found) {
      const canonical = canonicalAddress(text)
      if (canonical !== undefined) addresses.add(canonical)
    }
    if (addresses.size === 0) throw new HawserError('dns_error', `${name}: the name has no address`)
    return [...addresses]
  }
}
