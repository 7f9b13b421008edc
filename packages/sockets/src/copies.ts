/**
 * Copies of what a program writes: it may reuse its memory as soon as `write()` has returned (S-087). Copying is cheap,
 * fresh memory is not (a tenth of the time of a 64 KiB write), so the copy of the one write that is with Node is made in
 * memory that goes round.
 */

/** Larger writes get memory of their own; smaller ones than the second number come from Node's pool for small buffers. */
const LENT_BYTES = 65_536
const POOLED_BYTES = 4096
/** Pieces kept for the next writer, for all sockets together: 2 MiB. */
const KEPT = 32

const kept: Buffer[] = []

/** A copy in memory that `giveBack()` may be given once nobody reads from it any more. */
export function lentCopy(bytes: Uint8Array): Buffer {
  if (bytes.length <= POOLED_BYTES || bytes.length > LENT_BYTES) return copyOf(bytes)
  const piece = kept.pop() ?? Buffer.allocUnsafeSlow(LENT_BYTES)
  piece.set(bytes)
  return piece.subarray(0, bytes.length)
}

/** Takes the memory of a `lentCopy()` back. Never for a write that failed: Node may still hold it. */
export function giveBack(copy: Uint8Array): void {
  if (copy.length <= POOLED_BYTES || copy.length > LENT_BYTES || kept.length >= KEPT) return
  kept.push(Buffer.from(copy.buffer as ArrayBuffer, 0, LENT_BYTES))
}

/** A copy in memory of its own, for a write that has to wait. */
export function copyOf(bytes: Uint8Array): Buffer {
  const copy = bytes.length <= POOLED_BYTES ? Buffer.allocUnsafe(bytes.length) : Buffer.allocUnsafeSlow(bytes.length)
  copy.set(bytes)
  return copy
}
