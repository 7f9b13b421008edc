/**
 * Remembers what a pure function said of the texts it saw lately. A Worker calls few hosts many times, and reading one
 * anew for each call was the largest single cost of a short fetch.
 */
export class Memo<Value> {
  readonly #compute: (key: string) => Value
  readonly #maxEntries: number
  #known = new Map<string, Value>()

  /** @param compute may throw; then nothing is remembered */
  constructor(compute: (key: string) => Value, maxEntries = 512) {
    this.#compute = compute
    this.#maxEntries = maxEntries
  }

  get(key: string): Value {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const value = this.#compute(key)
    // Starting over costs less than knowing which entry is oldest, and texts come from Workers: the map must not grow.
    if (this.#known.size >= this.#maxEntries) this.#known = new Map()
    this.#known.set(key, value)
    return value
  }
}
