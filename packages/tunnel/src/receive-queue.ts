/** Small pieces are gathered in buffers of this size. */
const GATHER_BYTES = 8 * 1024
/** Taken slots are dropped from the front of the list once there are so many, and as many as are left. */
const COMPACT_AT = 32
const TAKEN: Buffer = Buffer.alloc(0)
/** Shared by all queues that are empty, as most are; never written to. */
const NONE: Buffer[] = []

/** Whether holding `piece` would pin memory of more than twice its size: it is a view of a chunk that held other frames. */
export function isSmallPart(piece: Buffer): boolean {
  return piece.length * 2 < piece.buffer.byteLength
}

/**
 * Bytes waiting for a slow reader. Large pieces are held as they came; small ones are copied together, since each would keep
 * alive the whole chunk it arrived in, and a peer that sends single bytes would make 256 KiB of credit cost gigabytes.
 */
export class ReceiveQueue {
  #pieces = NONE
  #head = 0
  /** Memory of the last piece, when that is a gathered one and may grow. */
  #gather: Buffer | undefined
  #gathered = 0
  bytes = 0

  push(piece: Buffer): void {
    this.bytes += piece.length
    if (this.#pieces === NONE) this.#pieces = []
    if (piece.length < GATHER_BYTES / 2 && isSmallPart(piece)) return this.#gatherUp(piece)
    this.#gather = undefined
    this.#pieces.push(isSmallPart(piece) ? Buffer.from(piece) : piece)
    return undefined
  }

  /** The oldest piece, or undefined when there is none. */
  shift(): Buffer | undefined {
    const piece = this.#pieces[this.#head]
    if (piece === undefined) return undefined
    this.bytes -= piece.length
    this.#pieces[this.#head] = TAKEN
    this.#head += 1
    if (this.#head === this.#pieces.length) this.clear()
    else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#pieces.length) {
      this.#pieces = this.#pieces.slice(this.#head)
      this.#head = 0
    }
    return piece
  }

  clear(): void {
    this.#pieces = NONE
    this.#head = 0
    this.#gather = undefined
    this.bytes = 0
  }

  #gatherUp(piece: Buffer): void {
    if (this.#gather === undefined || this.#gather.length - this.#gathered < piece.length) {
      this.#gather = Buffer.allocUnsafeSlow(GATHER_BYTES)
      this.#gathered = 0
      this.#pieces.push(TAKEN)
    }
    piece.copy(this.#gather, this.#gathered)
    this.#gathered += piece.length
    this.#pieces[this.#pieces.length - 1] = this.#gather.subarray(0, this.#gathered)
  }
}
