/** Sessions of one binding; each is some kilobytes. */
const MAX_SESSIONS = 256
/** A resumed session brings no certificate to look at: what was found good then is believed this long and no longer. */
const AGE_LIMIT_MS = 3_600_000

export interface KnownSession {
  readonly session: Buffer
  /** When the certificate was looked at: a session that came of a resumed one is as old as the first. */
  readonly since: number
}

/**
 * What earlier handshakes left behind, so that the next one with the same target need not begin from nothing. Those used
 * last are kept.
 */
export class SessionCache {
  readonly #sessions = new Map<string, KnownSession>()
  readonly #maxSessions: number

  constructor(maxSessions: number = MAX_SESSIONS) {
    this.#maxSessions = maxSessions
  }

  get size(): number {
    return this.#sessions.size
  }

  /** @param now milliseconds on any clock that does not go back */
  get(key: string, now: number): KnownSession | undefined {
    const known = this.#sessions.get(key)
    if (known === undefined) return undefined
    this.#sessions.delete(key)
    if (now - known.since > AGE_LIMIT_MS) return undefined
    this.#sessions.set(key, known) // last in the order of use
    return known
  }

  set(key: string, session: Buffer, since: number): void {
    this.#sessions.delete(key)
    this.#sessions.set(key, { session, since })
    if (this.#sessions.size <= this.#maxSessions) return
    const oldest = this.#sessions.keys().next()
    if (oldest.done !== true) this.#sessions.delete(oldest.value)
  }

  delete(key: string): void {
    this.#sessions.delete(key)
  }
}
