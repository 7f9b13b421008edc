/** Stands for no value, where no block holds the addresses. */
export const NOTHING = -1
/** An answer is the index of a value and the length of a prefix in one number: one line of the cache, not two. */
const PREFIX_BITS = 8
/** Values that there may be. */
export const MAX_VALUES: number = 2 ** (31 - PREFIX_BITS)
/** Children of one node of the tree. Their first addresses fill few lines of the processor's cache. */
const FAN_OUT = 16

/**
 * The addresses of one family cut into intervals, each of which has one answer. An interval reaches from its first address
 * up to the next one's. Over them stands a static B+ tree of which each level holds every {@link FAN_OUT}th address of the one below:
 * all but the last of them stay in the processor's cache, which a million routes do not.
 */
export class Intervals {
  /** First addresses in order, `width` words each, most significant first: the root's, …, the intervals' own. */
  readonly #levels: readonly Uint32Array[]
  readonly #width: number
  readonly #answers: Int32Array

  /**
   * Keeps the arrays, which must not change any more.
   *
   * @param starts first addresses in order, `width` words each, most significant first
   * @param answers for each of them what {@link answerOf} gives
   */
  constructor(starts: Uint32Array, width: number, answers: Int32Array) {
    const levels = [starts]
    for (let below = starts; below.length > FAN_OUT * width; levels.unshift(below)) below = everyNth(below, width)
    this.#levels = levels
    this.#width = width
    this.#answers = answers
  }

  /** The interval that holds an address; -1 before the first. Allocates nothing. */
  search(words: readonly number[]): number {
    const levels = this.#levels
    const width = this.#width
    let node = 0
    for (let level = 0; level < levels.length && node >= 0; level += 1) {
      node = lastUpTo(words, levels[level] ?? NO_ADDRESSES, width, node * FAN_OUT)
    }
    return node
  }

  /** The value at an interval: at least 0, or {@link NOTHING}. */
  valueAt(interval: number): number {
    return interval < 0 ? NOTHING : (this.#answers[interval] ?? NOTHING) >> PREFIX_BITS
  }

  /** The length of the prefix of the block that decides there. */
  prefixAt(interval: number): number {
    return (this.#answers[interval] ?? 0) & (2 ** PREFIX_BITS - 1)
  }
}

/** What {@link Intervals} keep of one interval. */
export function answerOf(value: number, prefix: number): number {
  return value === NOTHING ? NOTHING : (value << PREFIX_BITS) | prefix
}

const NO_ADDRESSES = new Uint32Array(0)

function everyNth(starts: Uint32Array, width: number): Uint32Array {
  const chosen = new Uint32Array(Math.ceil(starts.length / width / FAN_OUT) * width)
  for (let at = 0; at < chosen.length; at += width) chosen.set(starts.subarray(at * FAN_OUT, at * FAN_OUT + width), at)
  return chosen
}

/** Of the addresses of one node the last that is not past the one asked for; the one before the node where all are. */
function lastUpTo(words: readonly number[], addresses: Uint32Array, width: number, begin: number): number {
  let low = begin
  let end = Math.min(begin + FAN_OUT, addresses.length / width)
  const first = words[0] ?? 0
  while (low < end) {
    const middle = (low + end) >>> 1
    const other = addresses[middle * width] ?? 0
    const isPast = first === other && width > 1 ? isBefore(words, addresses, middle * width, width) : first < other
    if (isPast) end = middle
    else low = middle + 1
  }
  return low - 1
}

/** Of addresses whose first words are the same. */
function isBefore(words: readonly number[], addresses: Uint32Array, at: number, width: number): boolean {
  for (let word = 1; word < width; word += 1) {
    const given = words[word] ?? 0
    const other = addresses[at + word] ?? 0
    if (given !== other) return given < other
  }
  return false
}
