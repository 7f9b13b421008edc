/**
 * What work that may be given up looks at. Every `AbortSignal` is one; where work is started by the thousand a {@link Stop}
 * is one that costs a quarter of it.
 */
export interface StopSignal {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** Tells those who listen, once, that their work is not wanted any more. */
export class Stop implements StopSignal {
  aborted = false
  reason: unknown
  readonly #listeners: (() => void)[] = []

  /** Only the first has an effect. */
  abort(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    while (this.#listeners.length > 0) this.#listeners.shift()?.()
  }

  addEventListener(_type: 'abort', listener: () => void, _options?: { readonly once?: boolean }): void {
    if (!this.aborted) this.#listeners.push(listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener)
    if (at >= 0) this.#listeners.splice(at, 1)
  }
}
