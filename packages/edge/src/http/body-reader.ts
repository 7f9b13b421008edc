import { HawserError } from '@hawser/core'
import type { ResponseHead, RequestHead } from './head.ts'

/** How the end of a message's body is told (RFC 9112 section 6.3). `close`: by the end of the connection. */
export type Framing = 'none' | 'length' | 'chunked' | 'close'

export function requestFraming({ fields }: RequestHead): Framing {
  if (fields.chunked) return 'chunked'
  return fields.contentLength === undefined || fields.contentLength === 0 ? 'none' : 'length'
}

export function responseFraming(method: string, { status, fields }: ResponseHead): Framing {
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 'none'
  if (fields.chunked) return 'chunked'
  if (fields.contentLength === undefined) return 'close'
  return fields.contentLength === 0 ? 'none' : 'length'
}

/** Longest chunk-size line or trailer line, and longest trailer section. */
const MAX_LINE_BYTES = 4096
const MAX_TRAILER_BYTES = 32_768
const MAX_CHUNK_DIGITS = 13 // stays an exact number

const CR = 13
const LF = 10

/** Where a reader of the chunked coding stands (RFC 9112 section 7.1). */
type ChunkState = 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailer' | 'trailer-lf'

function digitOf(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/**
 * Finds the payload in the bytes of one message's body, cut anywhere, without copying any of it. Chunk extensions and
 * trailers are checked for form and left out: a recipient may drop both (RFC 9112 sections 7.1.1 and 7.1.2).
 */
export class BodyReader {
  readonly #framing: Framing
  #left: number
  #state: ChunkState = 'size'
  #digits = 0
  #lineBytes = 0
  #trailerBytes = 0
  /** Whether the whole body has been read; a `close` body ends only with its connection. */
  done: boolean

  /** @param length of a `length` body, in bytes */
  constructor(framing: Framing, length: number) {
    this.#framing = framing
    this.#left = framing === 'length' ? length : 0
    this.done = framing === 'none'
  }

  /**
   * Reads `chunk` from `at`, handing each run of payload to `onPayload`.
   *
   * @returns the offset just past the last byte that belongs to this body
   * @throws {HawserError} `http_protocol_error` where the chunked coding is broken
   */
  read(chunk: Buffer, at: number, onPayload: (payload: Buffer) => void): number {
    if (this.done) return at
    if (this.#framing === 'chunked') return this.#readChunked(chunk, at, onPayload)
    const end = this.#framing === 'close' ? chunk.length : Math.min(chunk.length, at + this.#left)
    this.#left -= end - at
    this.done = this.#framing === 'length' && this.#left === 0
    if (end > at) onPayload(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end))
    return end
  }

  #readChunked(chunk: Buffer, from: number, onPayload: (payload: Buffer) => void): number {
    let at = from
    while (at < chunk.length && !this.done) {
      if (this.#state === 'data') {
        const end = Math.min(chunk.length, at + this.#left)
        this.#left -= end - at
        if (this.#left === 0) this.#state = 'data-cr'
        onPayload(chunk.subarray(at, end))
        at = end
      } else {
        this.#takeByte(chunk[at] ?? 0)
        at += 1
      }
    }
    return at
  }

  /** One byte of the coding itself. */
  #takeByte(byte: number): void {
    switch (this.#state) {
      case 'size':
        return this.#takeSizeByte(byte)
      case 'extension':
        return this.#takeExtensionByte(byte)
      case 'size-lf':
        expect(byte === LF)
        this.#state = this.#left === 0 ? 'trailer' : 'data'
        this.#digits = 0
        this.#lineBytes = 0
        return
      case 'data-cr':
        expect(byte === CR)
        this.#state = 'data-lf'
        return
      case 'data-lf':
        expect(byte === LF)
        this.#state = 'size'
        return
      case 'trailer':
        return this.#takeTrailerByte(byte)
      case 'trailer-lf':
        expect(byte === LF)
        this.done = this.#lineBytes === 0
        this.#lineBytes = 0
        this.#state = 'trailer'
        return
      case 'data':
        throw new HawserError('proxy_internal_error', 'chunk data read byte by byte')
    }
  }

  #takeSizeByte(byte: number): void {
    const digit = digitOf(byte)
    if (digit >= 0) {
      this.#digits += 1
      expect(this.#digits <= MAX_CHUNK_DIGITS)
      this.#left = this.#left * 16 + digit
      return
    }
    expect(this.#digits > 0 && (byte === CR || byte === 59 || byte === 32 || byte === 9))
    this.#state = byte === CR ? 'size-lf' : 'extension'
  }

  #takeExtensionByte(byte: number): void {
    if (byte === CR) this.#state = 'size-lf'
    else this.#takeLineByte(byte)
  }

  #takeTrailerByte(byte: number): void {
    this.#trailerBytes += 1
    expect(this.#trailerBytes <= MAX_TRAILER_BYTES)
    if (byte === CR) this.#state = 'trailer-lf'
    else this.#takeLineByte(byte)
  }

  #takeLineByte(byte: number): void {
    this.#lineBytes += 1
    expect(this.#lineBytes <= MAX_LINE_BYTES && (byte >= 32 || byte === 9) && byte !== 127)
  }
}

function expect(wellFormed: boolean): void {
  if (!wellFormed) throw new HawserError('http_protocol_error', 'malformed HTTP: broken chunked coding')
}
