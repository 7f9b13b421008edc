import type { Clock } from './clock.ts'

interface Waiter {
  readonly until: number
  readonly wake: () => void
}

/** A clock for tests: time passes when the test says so, and chance is what the test sets. */
export class FakeClock implements Clock {
  chance = 0.5
  #now = 0
  readonly #waiters = new Set<Waiter>()
  #noticed: () => void = () => {}
  /** Every wait that was asked for, in milliseconds. */
  readonly waits: number[] = []

  now(): number {
    return this.#now
  }

  random(): number {
    return this.chance
  }

  wait(ms: number, signal: AbortSignal): Promise<void> {
    this.waits.push(ms)
    return new Promise((resolve) => {
      const waiter: Waiter = {
        until: this.#now + ms,
        wake: () => {
          this.#waiters.delete(waiter)
          resolve()
        },
      }
      if (signal.aborted) return resolve()
      signal.addEventListener('abort', waiter.wake, { once: true })
      this.#waiters.add(waiter)
      return this.#noticed()
    })
  }

  /** Resolves once `count` waits are under way at the same time. */
  async waiting(count = 1): Promise<void> {
    while (this.#waiters.size < count) {
      await new Promise<void>((resolve) => {
        this.#noticed = resolve
      })
    }
  }

  /** Lets time pass and wakes whoever waited for less. */
  advance(ms: number): void {
    this.#now += ms
    for (const waiter of this.#waiters) if (waiter.until <= this.#now) waiter.wake()
  }
}
