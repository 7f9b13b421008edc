import { TEXT } from './messages.ts'

/** Bytes whose memory is nobody else's. */
export type Bytes = Uint8Array<ArrayBuffer>

/**
 * Takes the memory under a view away from its owner, as a BYOB read does: the owner's view is empty from here on.
 * @returns the same window on the memory, as bytes
 * @throws {TypeError} for shared memory, and for memory that cannot be taken, as that of Node's buffer pool
 */
export function takeOver(view: ArrayBufferView): Bytes {
  const { buffer, byteOffset, byteLength } = view
  if (!(buffer instanceof ArrayBuffer)) throw new TypeError(TEXT.viewFixed)
  try {
    return new Uint8Array(buffer.transferToFixedLength(), byteOffset, byteLength)
  } catch (cause) {
    throw new TypeError(TEXT.viewFixed, { cause })
  }
}

/** The bytes of a received chunk without being a `Buffer`, which no code written for Workers expects. Copies nothing. */
export function plain(chunk: Uint8Array): Bytes {
  return new Uint8Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength)
}

/**
 * The bytes of a chunk to be sent (S-085), without copying: text as UTF-8, a view as what it shows, nothing as no bytes.
 * @returns undefined for everything that cannot be sent (S-086)
 */
export function bytesOf(chunk: unknown): Uint8Array | undefined {
  if (chunk instanceof Uint8Array) return chunk
  if (typeof chunk === 'string') return Buffer.from(chunk)
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  if (chunk instanceof ArrayBuffer || chunk instanceof SharedArrayBuffer) return new Uint8Array(chunk)
  return chunk === undefined ? new Uint8Array() : undefined
}
