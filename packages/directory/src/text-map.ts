const FIRST_SLOTS = 16
const FIRST_BYTES = 256
/** Of a length, in one number with a value: RFC 1035 section 2.3.4 allows no name that is longer. */
const LENGTH_BITS = 8
const MAX_LENGTH = 2 ** LENGTH_BITS - 1

/**
 * A map from ASCII texts to numbers, in typed arrays: a million names as strings in a Map are a million objects to sweep, and
 * a look-up among them waits for memory a dozen times. Open addressing with linear probing; nothing is ever taken out.
 */
export class TextMap {
  size = 0
  /** Two words each: the hash of a text, and its place in the lists below plus one; 0 for a free slot. */
  #slots = new Int32Array(2 * FIRST_SLOTS)
  #bytes = new Uint8Array(FIRST_BYTES)
  #bytesUsed = 0
  /** Two words for each text: where it begins in `#bytes`, and its value and length. */
  #entries = new Uint32Array(2 * FIRST_SLOTS)

  /**
   * A later value for the same text replaces the earlier one.
   *
   * @param value from 0 up to 16,777,215
   * @throws {RangeError} for a text of more than 255 characters
   */
  set(text: string, value: number): void {
    if (text.length > MAX_LENGTH) throw new RangeError(`a text has at most ${MAX_LENGTH} characters`)
    if (this.size * 4 >= this.#slots.length) this.#grow()
    const hash = hashOf(text, 0)
    const slot = this.#slotOf(hash, text, 0)
    const known = this.#slots[slot + 1] ?? 0
    const at = known === 0 ? this.#append(text) : known - 1
    this.#slots[slot] = hash
    this.#slots[slot + 1] = at + 1
    this.#entries[2 * at + 1] = (value << LENGTH_BITS) | text.length
  }

  /** The value of the part of `text` that begins at `from`; -1 for none. */
  get(text: string, from: number): number {
    const place = this.#slots[this.#slotOf(hashOf(text, from), text, from) + 1] ?? 0
    return place === 0 ? -1 : (this.#entries[2 * place - 1] ?? 0) >>> LENGTH_BITS
  }

  /** The slot that has the text, or the free one where it would be. Never more than half of them are taken. */
  #slotOf(hash: number, text: string, from: number): number {
    const slots = this.#slots
    for (let slot = (hash << 1) & (slots.length - 1); ; slot = (slot + 2) & (slots.length - 1)) {
      const place = slots[slot + 1] ?? 0
      if (place === 0 || (slots[slot] === hash && this.#isAt(place - 1, text, from))) return slot
    }
  }

  #isAt(at: number, text: string, from: number): boolean {
    const bytes = this.#bytes
    const start = this.#entries[2 * at] ?? 0
    const length = (this.#entries[2 * at + 1] ?? 0) & MAX_LENGTH
    if (length !== text.length - from) return false
    for (let each = 0; each < length; each += 1) {
      if (bytes[start + each] !== text.charCodeAt(from + each)) return false
    }
    return true
  }

  #append(text: string): number {
    const at = this.size
    const start = this.#bytesUsed
    const end = start + text.length
    if (end > this.#bytes.length)
      this.#bytes = copied(this.#bytes, new Uint8Array(Math.max(end, this.#bytes.length * 2)))
    for (let each = 0; each < text.length; each += 1) this.#bytes[start + each] = text.charCodeAt(each)
    this.#bytesUsed = end
    this.#entries[2 * at] = start
    this.size += 1
    return at
  }

  #grow(): void {
    const before = this.#slots
    const slots = new Int32Array(before.length * 2)
    for (let slot = 0; slot < before.length; slot += 2) {
      if (before[slot + 1] === 0) continue
      const hash = before[slot] ?? 0
      let free = (hash << 1) & (slots.length - 1)
      while (slots[free + 1] !== 0) free = (free + 2) & (slots.length - 1)
      slots[free] = hash
      slots[free + 1] = before[slot + 1] ?? 0
    }
    this.#slots = slots
    this.#entries = copied(this.#entries, new Uint32Array(this.#entries.length * 2))
  }
}

/** FNV-1a over the characters, its bits mixed once more so that the low ones depend on all. */
function hashOf(text: string, from: number): number {
  let hash = 0x811c_9dc5 | 0
  for (let at = from; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b)
  return hash ^ (hash >>> 13)
}

function copied<T extends Uint32Array | Uint8Array>(from: T, to: T): T {
  to.set(from)
  return to
}
