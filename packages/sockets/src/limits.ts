import type { Config } from './options.ts'

/** The two limits a caller may set on a socket: a signal that ends it at any time, and a time to open in. */
export class Limits {
  readonly #signal: AbortSignal | undefined
  readonly #expire: (reason: unknown) => void
  readonly #timer: NodeJS.Timeout | undefined

  /** Nothing, for the usual socket without limits. `expire` is called at most once, and never from within this call. */
  static of(config: Config, expire: (reason: unknown) => void): Limits | undefined {
    if (config.signal === undefined && config.timeoutMs === undefined) return undefined
    return new Limits(config, expire)
  }

  private constructor({ signal, timeoutMs }: Config, expire: (reason: unknown) => void) {
    this.#signal = signal
    this.#expire = expire
    signal?.addEventListener('abort', this.#aborted)
    if (signal?.aborted === true) process.nextTick(this.#aborted)
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => {
        this.#expire(new DOMException(`The connection did not open within ${timeoutMs} ms`, 'TimeoutError'))
      }, timeoutMs)
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

  readonly #aborted = (): void => this.#expire(this.#signal?.reason)
}
