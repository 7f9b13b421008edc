import type { Clock } from './clock.ts'

/** Longest wait after the first failure; it doubles with each further one. */
export const FIRST_DELAY_MS = 250
/** No wait is longer: whoever comes back should be found again within two seconds. */
export const MAX_DELAY_MS = 2_000
/** Longest wait after a failure that only a person can mend. */
export const LASTING_DELAY_MS = 10_000
/** A connection that lived this long ends the series: the next failure counts as the first again. */
export const GOOD_SPELL_MS = 30_000

/**
 * How long to wait before the next attempt: exponential with full jitter, so that the connectors of one edge do not come
 * back in step after it restarts.
 */
export class Backoff {
  readonly #clock: Clock
  #failures = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Attempts since the last good spell. */
  get failures(): number {
    return this.#failures
  }

  /** After a failed attempt: anything from 0 to the ceiling, in milliseconds. */
  next(): number {
    const ceiling = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(this.#failures, 16))
    this.#failures += 1
    return this.#clock.random() * ceiling
  }

  /**
   * After a failure that only a person can mend: the upper half of the longest wait. Still a retry, since a token can be
   * allowed again and a certificate renewed without anyone touching this machine.
   */
  slow(): number {
    this.#failures += 1
    return LASTING_DELAY_MS / 2 + (this.#clock.random() * LASTING_DELAY_MS) / 2
  }

  /** Tells how long the connection lived that just ended. */
  lived(ms: number): void {
    if (ms >= GOOD_SPELL_MS) this.#failures = 0
  }
}
