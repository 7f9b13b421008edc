import { Fifo } from './fifo.ts'

/** Small pieces are gathered in buffers of this size. */
const GATHER_BYTES = 8 * 1024

/** Whether holding `piece` would pin memory of more than twice its size: it is a view of a chunk that held other frames. */
export function isSmallPart(piece: Buffer): boolean {
  return piece.length * 2 < piece.buffer.byteLength
}

/**
 * Bytes waiting for a slow reader. Large pieces are held as they came; small ones are copied together, since each would keep
 * alive the whole chunk it arrived in, and a peer that sends single bytes would make 256 KiB of credit cost gigabytes.
 */
export class ReceiveQueue {
  readonly #pieces = new Fifo<Buffer>()
  /** Memory of the youngest piece, when that is a gathered one and may grow. */
  #gather: Buffer | undefined
  #gathered = 0
  bytes = 0

  push(piece: Buffer): void {
    this.bytes += piece.length
    if (piece.length < GATHER_BYTES / 2 && isSmallPart(piece)) return this.#gatherUp(piece)
    this.#gather = undefined
    return this.#pieces.push(isSmallPart(piece) ? Buffer.from(piece) : piece)
  }

  /** Puts a piece that has been taken back to the front. */
  unshift(piece: Buffer): void {
    this.bytes += piece.length
    this.#pieces.unshift(isSmallPart(piece) ? Buffer.from(piece) : piece)
  }

  /** The oldest piece, or undefined when there is none. */
  shift(): Buffer | undefined {
    const piece = this.#pieces.shift()
    if (piece === undefined) return undefined
    this.bytes -= piece.length
    if (this.bytes === 0) this.#gather = undefined
    return piece
  }

  clear(): void {
    this.#pieces.clear()
    this.#gather = undefined
    this.bytes = 0
  }

  #gatherUp(piece: Buffer): void {
    const fits = this.#gather !== undefined && this.#gather.length - this.#gathered >= piece.length
    const gather = fits && this.#gather !== undefined ? this.#gather : Buffer.allocUnsafeSlow(GATHER_BYTES)
    const start = fits ? this.#gathered : 0
    piece.copy(gather, start)
    this.#gather = gather
    this.#gathered = start + piece.length
    const gathered = gather.subarray(0, this.#gathered)
    if (fits) this.#pieces.replaceLast(gathered)
    else this.#pieces.push(gathered)
  }
}
