import type { FlowProgress } from '../flow/run-flow.ts'

/** Time that passes only while nothing is broken: what a flow may take to notice that all is well again. */
export class HealthyClock {
  readonly #now: () => number
  #healthyMs = 0
  #sinceMs: number
  #broken = false

  constructor(now: () => number) {
    this.#now = now
    this.#sinceMs = now()
  }

  set broken(broken: boolean) {
    this.#healthyMs = this.ms
    this.#sinceMs = this.#now()
    this.#broken = broken
  }

  /** Milliseconds without a fault so far. */
  get ms(): number {
    return this.#healthyMs + (this.#broken ? 0 : this.#now() - this.#sinceMs)
  }
}

/** Watches one flow: says when nothing has moved for too long with nothing broken. */
export class SilenceWatch {
  readonly #progress: FlowProgress
  readonly #limitMs: number
  #seen: string
  #sinceMs: number

  constructor(progress: FlowProgress, limitMs: number, healthyMs: number) {
    this.#progress = progress
    this.#limitMs = limitMs
    this.#sinceMs = healthyMs
    this.#seen = this.#look()
  }

  /** @param healthyMs of {@link HealthyClock} */
  isSilent(healthyMs: number): boolean {
    const seen = this.#look()
    if (seen !== this.#seen) {
      this.#seen = seen
      this.#sinceMs = healthyMs
    }
    return healthyMs - this.#sinceMs > this.#limitMs
  }

  #look(): string {
    const { opened, sent, received } = this.#progress
    return `${opened} ${sent} ${received}`
  }
}
