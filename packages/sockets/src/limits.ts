import type { Config } from './options.ts'

/** What the limits are for. */
export interface Limited {
  abort(reason: unknown): void
}

/** The two limits a caller may set on a socket: a signal that ends it at any time, and a time to open in. */
export class Limits {
  readonly #signal: AbortSignal | undefined
  readonly #owner: Limited
  readonly #timer: NodeJS.Timeout | undefined

  /** Nothing, for the usual socket without limits. The owner is aborted at most once, and never from within this call. */
  static of(config: Config, owner: Limited, timeout: (timeoutMs: number) => unknown): Limits | undefined {
    if (config.signal === undefined && config.timeoutMs === undefined) return undefined
    return new Limits(config, owner, timeout)
  }

  private constructor({ signal, timeoutMs }: Config, owner: Limited, timeout: (timeoutMs: number) => unknown) {
    this.#signal = signal
    this.#owner = owner
    signal?.addEventListener('abort', this.#aborted)
    if (signal?.aborted === true) process.nextTick(this.#aborted)
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => this.#owner.abort(timeout(timeoutMs)), timeoutMs)
    }
  }

  /** The time to open in no longer counts. */
  opened(): void {
    clearTimeout(this.#timer)
  }

  /** Neither counts any more; the signal, which may outlive thousands of sockets, forgets this one. */
  lift(): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#aborted)
  }

  readonly #aborted = (): void => this.#owner.abort(this.#signal?.reason)
}
