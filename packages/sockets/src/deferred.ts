/**
 * A promise that is made when somebody asks for it, settled then or later. Most programs look at two of the eight promises
 * a socket has. That it may reject without anybody looking is no news for the process (S-054).
 */
export class Deferred<T> {
  #outcome: { readonly value: T } | { readonly reason: unknown } | undefined
  #made: PromiseWithResolvers<T> | undefined

  /** The same one every time. */
  get promise(): Promise<T> {
    if (this.#made === undefined) {
      this.#made = Promise.withResolvers()
      this.#made.promise.catch(ignore)
      this.#settle()
    }
    return this.#made.promise
  }

  /** Resolved or rejected: later calls of either change nothing. */
  get settled(): boolean {
    return this.#outcome !== undefined
  }

  resolve(value: T): void {
    if (this.#outcome !== undefined) return
    this.#outcome = { value }
    this.#settle()
  }

  reject(reason: unknown): void {
    if (this.#outcome !== undefined) return
    this.#outcome = { reason }
    this.#settle()
  }

  #settle(): void {
    if (this.#made === undefined || this.#outcome === undefined) return
    if ('reason' in this.#outcome) this.#made.reject(this.#outcome.reason)
    else this.#made.resolve(this.#outcome.value)
  }
}

/** For promises whose failure somebody else is told of. */
export function ignore(): void {}
