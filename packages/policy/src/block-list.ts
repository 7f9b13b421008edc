import { answerOf, Intervals, NOTHING } from './intervals.ts'
import { ADDRESS_BITS } from './ip-address.ts'
import { sortBlocks } from './sort-blocks.ts'

const FIRST_SIZE = 16

/** Blocks of one family with their values, in typed arrays: a million of them must not be a million objects. */
export class BlockList {
  readonly #width: number
  #count = 0
  /** First addresses, `width` words each. */
  #starts: Uint32Array
  #prefixes = new Uint8Array(FIRST_SIZE)
  #values = new Int32Array(FIRST_SIZE)

  constructor(family: 4 | 6) {
    this.#width = ADDRESS_BITS[family] / 32
    this.#starts = new Uint32Array(FIRST_SIZE * this.#width)
  }

  add(words: readonly number[], prefix: number, value: number): void {
    const at = this.#count
    if (at === this.#prefixes.length) this.#grow()
    for (let word = 0; word < this.#width; word += 1) {
      this.#starts[at * this.#width + word] = (words[word] ?? 0) & maskOf(prefix, word)
    }
    this.#prefixes[at] = prefix
    this.#values[at] = value
    this.#count += 1
  }

  /** Blocks that nest become intervals side by side; of two that are the same, the one added last counts. */
  toIntervals(): Intervals {
    const order = sortBlocks(this.#starts, this.#prefixes, this.#count, this.#width)
    const cutter = new Cutter(this.#starts, this.#prefixes, this.#values, this.#width, this.#count)
    for (const block of order) cutter.take(block)
    return cutter.finish()
  }

  #grow(): void {
    const size = this.#prefixes.length * 2
    this.#starts = enlarged(this.#starts, new Uint32Array(size * this.#width))
    this.#prefixes = enlarged(this.#prefixes, new Uint8Array(size))
    this.#values = enlarged(this.#values, new Int32Array(size))
  }
}

/** Writes intervals while blocks come in the order of `sortBlocks`. A block adds two of them at most. */
class Cutter {
  readonly #blocks: Uint32Array
  readonly #blockPrefixes: Uint8Array
  readonly #blockValues: Int32Array
  readonly #width: number
  /** Blocks that hold the place reached, the smallest last. */
  readonly #open: number[] = []
  readonly #starts: Uint32Array
  readonly #answers: Int32Array
  #count = 0
  /** The address after a block. */
  readonly #after: Uint32Array

  constructor(blocks: Uint32Array, prefixes: Uint8Array, values: Int32Array, width: number, count: number) {
    this.#blocks = blocks
    this.#blockPrefixes = prefixes
    this.#blockValues = values
    this.#width = width
    this.#starts = new Uint32Array(2 * count * width)
    this.#answers = new Int32Array(2 * count)
    this.#after = new Uint32Array(width)
  }

  take(block: number): void {
    while (this.#open.length > 0 && !this.#lastHolds(block)) this.#closeLast()
    this.#open.push(block)
    this.#begin(this.#blocks, block * this.#width, block)
  }

  finish(): Intervals {
    while (this.#open.length > 0) this.#closeLast()
    const starts = this.#starts.slice(0, this.#count * this.#width)
    return new Intervals(starts, this.#width, this.#answers.slice(0, this.#count))
  }

  #lastHolds(block: number): boolean {
    const last = this.#open.at(-1) ?? 0
    const prefix = this.#blockPrefixes[last] ?? 0
    for (let word = 0; word * 32 < prefix; word += 1) {
      const differing = this.#startOf(last, word) ^ this.#startOf(block, word)
      if ((differing & maskOf(prefix, word)) !== 0) return false
    }
    return true
  }

  /** What holds the addresses after a block is the next larger one, or nothing. */
  #closeLast(): void {
    const last = this.#open.pop() ?? 0
    if (this.#moveAfter(last)) this.#begin(this.#after, 0, this.#open.at(-1))
  }

  /** Puts the address that follows the last one of a block into `#after`; false where that was the last of all. */
  #moveAfter(block: number): boolean {
    const prefix = this.#blockPrefixes[block] ?? 0
    const last = (prefix - 1) >> 5
    for (let word = 0; word < this.#width; word += 1) this.#after[word] = this.#startOf(block, word)
    let carry = 2 ** ((32 - (prefix % 32)) % 32)
    for (let word = last; word >= 0; word -= 1) {
      const sum = (this.#after[word] ?? 0) + carry
      this.#after[word] = sum // without what does not fit
      if (sum < 2 ** 32) return true
      carry = 1
    }
    return false
  }

  /** Where one begins at the same place as the one before, that one was empty and is written over. */
  #begin(words: Uint32Array, offset: number, block: number | undefined): void {
    const isSame = this.#count > 0 && this.#lastBeginsAt(words, offset)
    const at = isSame ? this.#count - 1 : this.#count
    for (let word = 0; word < this.#width; word += 1) {
      this.#starts[at * this.#width + word] = words[offset + word] ?? 0
    }
    const value = block === undefined ? NOTHING : (this.#blockValues[block] ?? NOTHING)
    this.#answers[at] = answerOf(value, block === undefined ? 0 : (this.#blockPrefixes[block] ?? 0))
    this.#count = at + 1
  }

  #lastBeginsAt(words: Uint32Array, offset: number): boolean {
    const start = (this.#count - 1) * this.#width
    for (let word = 0; word < this.#width; word += 1) {
      if (this.#starts[start + word] !== words[offset + word]) return false
    }
    return true
  }

  #startOf(block: number, word: number): number {
    return this.#blocks[block * this.#width + word] ?? 0
  }
}

/** The bits of one word that belong to a prefix. */
function maskOf(prefix: number, word: number): number {
  const bits = prefix - 32 * word
  if (bits >= 32) return -1
  return bits <= 0 ? 0 : -1 << (32 - bits) // a shift by 32 is a shift by 0 in JavaScript
}

function enlarged<T extends Uint32Array | Uint8Array | Int32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
