import type { Buffer } from 'node:buffer'

/**
 * The `onread` of Node.js: what arrives goes into the caller's own buffer and past the stream, which saves drivers of
 * databases an allocation for each chunk.
 */
export interface OnRead {
  /** Used over and over, or asked for each time. */
  readonly buffer: Uint8Array | (() => Uint8Array)
  /** Called with the socket as `this`, and with how much of the buffer is filled. Returns false to pause. */
  readonly callback: (length: number, buffer: Uint8Array) => boolean | undefined
}

/** Undefined for anything else: as in Node.js, such an option is as good as none. */
export function asOnRead(value: unknown): OnRead | undefined {
  return typeof value === 'object' && value !== null ? (value as OnRead) : undefined
}

/** The part of a socket that this needs. */
interface Pausable {
  pause(): unknown
}

/**
 * Hands a chunk over in as many parts as the buffer makes of it. All of it: a callback that returns false pauses the
 * socket, but what has been read cannot be given back.
 */
export function deliver({ buffer, callback }: OnRead, chunk: Buffer, socket: Pausable): void {
  let offset = 0
  while (offset < chunk.byteLength) {
    const into = typeof buffer === 'function' ? buffer() : buffer
    const part = chunk.subarray(offset, offset + into.byteLength)
    into.set(part)
    offset += part.byteLength
    if (callback.call(socket, part.byteLength, into) === false) socket.pause()
  }
}
