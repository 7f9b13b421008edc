import type { HawserError, Logger } from '@hawser/core'

const WINDOW_MS = 10_000
const MAX_LINES = 20

/**
 * Says once for each connection that something came through a door which is none of ours, and falls silent when that
 * happens all the time: whoever can reach a listener must not be able to fill a disk.
 */
export class IntruderLog {
  readonly #logger: Logger
  readonly #now: () => number
  #windowStart = Number.NEGATIVE_INFINITY
  #lines = 0
  #suppressed = 0

  /** @param now milliseconds on any clock that does not go back */
  constructor(logger: Logger, now: () => number = () => performance.now()) {
    this.#logger = logger
    this.#now = now
  }

  /** @param door what was knocked at: `connect listener` */
  refused(door: string, reason: HawserError): void {
    const now = this.#now()
    if (now - this.#windowStart >= WINDOW_MS) {
      if (this.#suppressed > 0) this.#logger.warn('refused more connections', { count: this.#suppressed })
      this.#windowStart = now
      this.#lines = 0
      this.#suppressed = 0
    }
    this.#lines += 1
    if (this.#lines > MAX_LINES) this.#suppressed += 1
    else this.#logger.warn('refused a connection', { door, code: reason.code, reason: reason.message })
  }
}
