import type { MuxStream } from './stream.ts'

const FIRST_CAPACITY = 64

/**
 * The open streams of a session, by id: a hash table with open addressing. Ids rise one after the other, so that the id itself
 * is the perfect hash.
 *
 * Not a `Map`, for one reason, measured: a `Map` that sees a stream come and go for every connection replaces its backing store
 * all the time, and each old store refers to its successor. Once one of them has survived into the old generation, that chain
 * keeps every later store and every closed stream alive until the next full collection, which cost 40 % of all CPU time.
 */
export class StreamTable {
  #slots: (MuxStream | undefined)[] = emptySlots(FIRST_CAPACITY)
  #mask = FIRST_CAPACITY - 1
  #size = 0

  get size(): number {
    return this.#size
  }

  get(id: number): MuxStream | undefined {
    for (let at = id & this.#mask; ; at = (at + 1) & this.#mask) {
      const stream = this.#slots[at]
      if (stream === undefined || stream.id === id) return stream
    }
  }

  /** Adds a stream whose id is not in the table. */
  add(stream: MuxStream): void {
    this.#size += 1
    if (this.#size * 2 > this.#slots.length) this.#grow()
    this.#put(stream)
  }

  /** @returns whether there was a stream of that id */
  delete(id: number): boolean {
    let at = id & this.#mask
    for (; this.#slots[at]?.id !== id; at = (at + 1) & this.#mask) if (this.#slots[at] === undefined) return false
    this.#size -= 1
    this.#slots[at] = undefined
    // Those behind the gap that were pushed there by a collision would not be found any more: put them anew.
    for (at = (at + 1) & this.#mask; ; at = (at + 1) & this.#mask) {
      const next = this.#slots[at]
      if (next === undefined) return true
      if ((next.id & this.#mask) === at) continue
      this.#slots[at] = undefined
      this.#put(next)
    }
  }

  /** All streams as they are now, in no particular order. */
  all(): MuxStream[] {
    return this.#slots.filter((stream) => stream !== undefined)
  }

  #put(stream: MuxStream): void {
    let at = stream.id & this.#mask
    while (this.#slots[at] !== undefined) at = (at + 1) & this.#mask
    this.#slots[at] = stream
  }

  #grow(): void {
    const streams = this.all()
    this.#slots = emptySlots(this.#slots.length * 2)
    this.#mask = this.#slots.length - 1
    for (const stream of streams) this.#put(stream)
  }
}

function emptySlots(count: number): (MuxStream | undefined)[] {
  return Array.from({ length: count }, () => undefined)
}
