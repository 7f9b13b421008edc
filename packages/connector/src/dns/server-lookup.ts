import { Resolver } from 'node:dns/promises'
import type { RecordWithTtl } from 'node:dns'
import { setTimeout as delay } from 'node:timers/promises'
import { HawserError, systemCode } from '@hawser/core'
import type { Lookup } from './lookup.ts'

/** How long one server may take before the next is asked; the caller's own limit is for all of it. */
const TIMEOUT_MS = 1_500
/** What the addresses of one family wait for those of the other (RFC 8305 section 3, "Resolution Delay"). */
const RESOLUTION_DELAY_MS = 50
/** No answer is kept longer, whatever it says: a slip in a zone heals. */
const MAX_TTL_S = 300
/** The answers that say that there is nothing, in the resolver's codes. */
const ABSENT: ReadonlySet<string | undefined> = new Set(['ENOTFOUND', 'ENODATA'])

/** True where the failure is the answer itself: the name, or an address of the name, does not exist. */
export function isAbsence(error: unknown): boolean {
  return ABSENT.has(systemCode(error))
}

/**
 * Asks DNS servers of one's own, for both families at once; IPv6 comes first among the answers (RFC 8305 section 4). The hosts
 * file and search domains have no part in it.
 *
 * The lookup throws `ENOTFOUND`, `ENODATA` or `ETIMEOUT`, and for what else goes wrong there `dns_error`.
 *
 * @param servers addresses, or `ip:port` and `[ip]:port`
 */
export function serverLookup(servers: readonly string[]): Lookup {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 2 })
  resolver.setServers(servers)
  return async (name) => {
    const asked = new Families([resolver.resolve6(name, { ttl: true }), resolver.resolve4(name, { ttl: true })])
    const records = await asked.records()
    if (records.length === 0) throw failure(name, servers, asked.errors)
    const ttl = Math.min(MAX_TTL_S, ...records.map((record) => record.ttl))
    return { addresses: records.map(({ address }) => address), ttlMs: ttl * 1_000 }
  }
}

/** The questions for the two families, and what has come of them so far. */
class Families {
  readonly errors: unknown[] = []
  readonly #found: RecordWithTtl[][] = []
  readonly #asked: readonly Promise<void>[]

  constructor(questions: readonly Promise<RecordWithTtl[]>[]) {
    this.#asked = questions.map(async (question, family) => {
      try {
        this.#found[family] = await question
      } catch (error) {
        this.errors.push(error)
      }
    })
  }

  /** Of both families, or of the one that has answered where the other is late. */
  async records(): Promise<RecordWithTtl[]> {
    const timer = new AbortController()
    const late = this.#first().then(() =>
      delay(RESOLUTION_DELAY_MS, undefined, { signal: timer.signal }).catch(() => {}),
    )
    await Promise.race([Promise.all(this.#asked), late])
    timer.abort()
    return this.#found.flat()
  }

  /** Resolves with the first answer that has an address; never, where there is none. */
  #first(): Promise<void> {
    return new Promise((resolve) => {
      for (const asked of this.#asked) {
        void asked.then(() => (this.#found.some((records) => records.length > 0) ? resolve() : undefined))
      }
    })
  }
}

/** Only where both families are absent is the name. */
function failure(name: string, servers: readonly string[], errors: readonly unknown[]): unknown {
  const other = errors.find((error) => !isAbsence(error))
  if (other === undefined) return errors[0] ?? new HawserError('dns_error', `${name}: the name has no address`)
  if (systemCode(other) === 'ETIMEOUT') return other
  const message = `${name}: resolver ${servers.join(', ')} answers ${systemCode(other) ?? 'nothing of use'}`
  return new HawserError('dns_error', message, { cause: other })
}
