/** What is remembered of a name: its addresses, or the error that says that it has none. */
export type Known = { readonly addresses: readonly string[] } | { readonly absence: unknown }

/** Names kept; a connector serves few, and whoever asks for many must not fill its memory. */
const MAX_NAMES = 4_096

/** Answers of resolvers for as long as they hold. Beyond {@link MAX_NAMES} the one kept longest goes. */
export class NameCache {
  readonly #entries = new Map<string, { readonly known: Known; readonly until: number }>()
  readonly #now: () => number

  /** @param now milliseconds on a clock that never goes back */
  constructor(now: () => number) {
    this.#now = now
  }

  get(key: string): Known | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (this.#now() < entry.until) return entry.known
    this.#entries.delete(key)
    return undefined
  }

  keep(key: string, known: Known, ttlMs: number): void {
    if (ttlMs <= 0) return
    this.#entries.delete(key)
    if (this.#entries.size >= MAX_NAMES) this.#entries.delete(this.#entries.keys().next().value as string)
    this.#entries.set(key, { known, until: this.#now() + ttlMs })
  }
}
