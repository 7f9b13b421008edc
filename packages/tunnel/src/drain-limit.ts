import type { MuxSession } from './session.ts'

/** The two gentle ends of a session, for both sides: each happens once, however often it is asked for. */
export class DrainLimit {
  readonly #session: MuxSession
  readonly #whenIdle: () => Promise<void>
  #draining: Promise<void> | undefined

  /** @param whenIdle resolves when no stream is left that must be waited for */
  constructor(session: MuxSession, whenIdle: () => Promise<void>) {
    this.#session = session
    this.#whenIdle = whenIdle
  }

  /** No new streams; ends the session when those that are open have ended. */
  drain(): Promise<void> {
    return (this.#draining ??= this.#drain())
  }

  /** As `drain`, but what is open after `graceMs` fails. */
  async close(graceMs: number): Promise<void> {
    const limit = setTimeout(() => this.#session.end(), graceMs)
    try {
      await this.drain()
    } finally {
      clearTimeout(limit)
    }
  }

  async #drain(): Promise<void> {
    this.#session.goAway()
    await Promise.race([this.#whenIdle(), this.#session.closed])
    this.#session.end()
    await this.#session.closed
  }
}
