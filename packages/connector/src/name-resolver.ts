import { HawserError } from '@hawser/core'
import type { Answer, Lookup } from './dns/lookup.ts'
import { NameCache } from './dns/name-cache.ts'
import type { Known } from './dns/name-cache.ts'
import { isAbsence, serverLookup } from './dns/server-lookup.ts'
import { systemLookup } from './dns/system-lookup.ts'
import { remember } from './remember.ts'
import { canonicalAddress } from './target-host.ts'

/** What resolving leans on; tests bring their own. */
export interface NameResolverParts {
  readonly system: Lookup
  /** Makes the lookup that asks these servers. */
  readonly servers: (addresses: readonly string[]) => Lookup
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number
}

/** Names being looked up at one time. A lookup of the system holds a thread of the pool and cannot be cancelled. */
const MAX_PENDING = 1024
/** How long a name that does not exist is taken not to: the answer's own time is not told. */
const ABSENCE_MS = 2_000
/** RFC 6761, 6.3: this machine, under every name of it. */
const LOCALHOST: readonly string[] = ['127.0.0.1', '::1']

/**
 * Resolves the names of targets, by the system's resolver or by servers that the target names. An answer is kept for as
 * long as it says, a missing name for {@link ABSENCE_MS}, a failure not at all. Calls that want the same name while it is being
 * looked up share one answer: a burst of connections to one database costs one lookup.
 */
export class NameResolver {
  readonly #system: Lookup
  readonly #serversOf: (list: string) => Lookup
  readonly #cache: NameCache
  readonly #pending = new Map<string, Promise<readonly string[]>>()

  constructor(parts: Partial<NameResolverParts> = {}) {
    const { system = systemLookup, servers = serverLookup, now = () => performance.now() } = parts
    this.#system = system
    this.#serversOf = remember((list) => servers(list.split(' ')))
    this.#cache = new NameCache(now)
  }

  /**
   * Canonical addresses without duplicates, at least one; at once where they are known. `localhost` never asks a resolver: it
   * is this machine.
   *
   * @param resolverIps servers to ask. @default the system's
   * @throws {HawserError} `dns_error`, `connection_limit_reached`; or what the lookup threw; at once or by the promise
   */
  resolve(name: string, resolverIps: readonly string[] = []): readonly string[] | Promise<readonly string[]> {
    const own = name.endsWith('.') ? name.slice(0, -1) : name
    if (own === 'localhost' || own.endsWith('.localhost')) return LOCALHOST
    const servers = resolverIps.join(' ')
    const key = servers === '' ? name : `${name} ${servers}`
    const known = this.#cache.get(key)
    if (known !== undefined) return addressesOf(known)
    return this.#pending.get(key) ?? this.#start(key, name, servers)
  }

  #start(key: string, name: string, servers: string): Promise<readonly string[]> {
    if (this.#pending.size >= MAX_PENDING) {
      const message = `${name}: ${MAX_PENDING} other names are being looked up`
      return Promise.reject(new HawserError('connection_limit_reached', message))
    }
    const lookup = servers === '' ? this.#system : this.#serversOf(servers)
    const answer = this.#ask(key, name, lookup).finally(() => this.#pending.delete(key))
    this.#pending.set(key, answer)
    return answer
  }

  async #ask(key: string, name: string, lookup: Lookup): Promise<readonly string[]> {
    let answer: Answer
    try {
      answer = await lookup(name)
    } catch (error) {
      if (isAbsence(error)) this.#cache.keep(key, { absence: error }, ABSENCE_MS)
      throw error
    }
    const addresses = canonicalOnes(answer.addresses)
    if (addresses.length === 0) throw new HawserError('dns_error', `${name}: the name has no address`)
    this.#cache.keep(key, { addresses }, answer.ttlMs)
    return addresses
  }
}

function addressesOf(known: Known): readonly string[] {
  if ('absence' in known) throw known.absence
  return known.addresses
}

function canonicalOnes(texts: readonly string[]): readonly string[] {
  const addresses = new Set<string>()
  for (const text of texts) {
    const canonical = canonicalAddress(text)
    if (canonical !== undefined) addresses.add(canonical)
  }
  return [...addresses]
}
