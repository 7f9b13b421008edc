import { seeded } from '../random.ts'

/** Prime, so that no power of two and no size of a buffer divides it: a shift by any of them shows. */
const BLOCK_BYTES = 1_048_573

/**
 * What flows carry: each direction of each flow is the same random block read in a circle from a place of its own. A byte
 * that is lost, doubled, moved, or of another flow or direction shows, and to check costs no more than to compare.
 */
export class Pattern {
  readonly #block = new Uint8Array(BLOCK_BYTES)

  constructor(seed: number) {
    const random = seeded(seed)
    for (let index = 0; index < BLOCK_BYTES; index += 1) this.#block[index] = Math.floor(random() * 256)
  }

  /** Bytes from `offset` on: `bytes` of them, or fewer, since a piece does not go round the circle. Not to be written to. */
  piece(flow: number, direction: Direction, offset: number, bytes: number): Uint8Array {
    const start = (startOf(flow, direction) + offset) % BLOCK_BYTES
    return this.#block.subarray(start, Math.min(start + bytes, BLOCK_BYTES))
  }

  /** Where `bytes`, which came at `offset`, first differ from what was sent; -1 if nowhere. */
  differsAt(flow: number, direction: Direction, offset: number, bytes: Uint8Array): number {
    let at = (startOf(flow, direction) + offset) % BLOCK_BYTES
    for (let index = 0; index < bytes.length; index += 1) {
      if (bytes[index] !== this.#block[at]) return offset + index
      at = at + 1 === BLOCK_BYTES ? 0 : at + 1
    }
    return -1
  }
}

/** `up`: to the target. */
export type Direction = 'up' | 'down'

function startOf(flow: number, direction: Direction): number {
  return (flow * 7919 * 2 + (direction === 'up' ? 0 : 7919)) % BLOCK_BYTES
}
