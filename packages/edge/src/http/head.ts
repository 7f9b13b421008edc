import { HawserError } from '@hawser/core'
import { readFields } from './fields.ts'
import type { Fields } from './fields.ts'

/** Start line and fields of a request. */
export interface RequestHead {
  readonly method: string
  /** As written: absolute form, origin form or, for CONNECT, authority form (RFC 9112 section 3.2). */
  readonly target: string
  readonly fields: Fields
}

/** Start line and fields of a response. */
export interface ResponseHead {
  readonly status: number
  readonly reason: string
  /** 0 or 1, of HTTP/1.x. */
  readonly minorVersion: number
  readonly fields: Fields
}

/** Largest header section taken from either side; the vendor allows 128 KB in all. */
export const MAX_HEAD_BYTES = 131_072

const END = Buffer.from('\r\n\r\n')
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}) ([!-~\x80-\xff]+) HTTP\/1\.[01]$/
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: (.*))?$/

/**
 * Collects one header section from chunks cut anywhere. Chunks are joined only where a section really is spread over
 * several, and never beyond {@link MAX_HEAD_BYTES}.
 */
export class HeadReader {
  readonly #maxBytes: number
  #held: Buffer | undefined

  constructor(maxBytes: number = MAX_HEAD_BYTES) {
    this.#maxBytes = maxBytes
  }

  /** True between the first byte of a section and its last. */
  get started(): boolean {
    return this.#held !== undefined
  }

  /**
   * Takes `chunk` from `at`.
   *
   * @returns the section as text, one character a byte, and the offset in `chunk` just past it; undefined where more is needed
   * @throws {HawserError} `http_protocol_error` where the section is too long
   */
  read(chunk: Buffer, at: number): { readonly text: string; readonly next: number } | undefined {
    const held = this.#held
    const heldBytes = held?.length ?? 0
    const bytes =
      held === undefined ? (at === 0 ? chunk : chunk.subarray(at)) : Buffer.concat([held, chunk.subarray(at)])
    const end = bytes.indexOf(END, Math.max(0, heldBytes - END.length + 1))
    if (end + END.length > this.#maxBytes || (end < 0 && bytes.length > this.#maxBytes)) {
      throw new HawserError('http_protocol_error', `malformed HTTP: a header of more than ${this.#maxBytes} bytes`)
    }
    if (end < 0) {
      this.#held = bytes
      return undefined
    }
    this.#held = undefined
    const length = end + END.length
    return { text: bytes.toString('latin1', 0, length), next: at + length - heldBytes }
  }
}

/** @throws {HawserError} `http_protocol_error` */
export function parseRequestHead(text: string): RequestHead {
  const end = text.indexOf('\r\n')
  const line = REQUEST_LINE.exec(text.slice(0, end))
  if (line === null) throw new HawserError('http_protocol_error', 'malformed HTTP: not a request line')
  const [, method = '', target = ''] = line
  const fields = readFields(text, end + 2)
  if (fields.chunked && fields.contentLength !== undefined) {
    throw new HawserError('http_protocol_error', 'malformed HTTP: both Content-Length and Transfer-Encoding')
  }
  return { method, target, fields }
}

/** @throws {HawserError} `http_protocol_error` */
export function parseResponseHead(text: string): ResponseHead {
  const end = text.indexOf('\r\n')
  const line = STATUS_LINE.exec(text.slice(0, end))
  if (line === null) throw new HawserError('http_protocol_error', 'malformed HTTP: not a status line')
  const [, minor, status, reason = ''] = line
  return { status: Number(status), reason, minorVersion: Number(minor), fields: readFields(text, end + 2) }
}
