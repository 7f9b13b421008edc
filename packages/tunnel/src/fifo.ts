/** Taken slots are dropped from the front of the list once there are so many, and as many as are left. */
const COMPACT_AT = 32

/** A first-in, first-out queue: `push` and `shift` in constant time, and no memory of its own while empty. */
export class Fifo<T> {
  #items: (T | undefined)[] | undefined
  #head = 0

  get length(): number {
    return this.#items === undefined ? 0 : this.#items.length - this.#head
  }

  push(item: T): void {
    if (this.#items === undefined) this.#items = [item]
    else this.#items.push(item)
  }

  /** Puts `item` before the oldest one. */
  unshift(item: T): void {
    if (this.#items === undefined) this.#items = [item]
    else if (this.#head === 0) this.#items.unshift(item)
    else {
      this.#head -= 1
      this.#items[this.#head] = item
    }
  }

  /** The oldest item, or undefined when there is none. */
  shift(): T | undefined {
    const items = this.#items
    if (items === undefined) return undefined
    const item = items[this.#head]
    items[this.#head] = undefined // so that nothing taken stays alive
    this.#head += 1
    if (this.#head === items.length) this.clear()
    else if (this.#head >= COMPACT_AT && this.#head * 2 >= items.length) {
      this.#items = items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** Puts `item` in the place of the youngest one. */
  replaceLast(item: T): void {
    if (this.#items !== undefined) this.#items[this.#items.length - 1] = item
  }

  /** Takes `item` out, wherever it stands. Looks through the whole queue. */
  remove(item: T): void {
    const at = this.#items?.indexOf(item, this.#head) ?? -1
    if (at < 0) return
    if (this.length === 1) this.clear()
    else this.#items?.splice(at, 1)
  }

  clear(): void {
    this.#items = undefined
    this.#head = 0
  }
}
