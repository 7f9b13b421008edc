/** What follows a head, by RFC 9112 section 6.3. `opaque`: bytes of another protocol, to the end of the connection. */
export type Body = number | 'chunked' | 'until-close' | 'opaque'

/** A head that is longer belongs to no peer worth following. */
const MAX_HEAD_CHARACTERS = 131_072
const HEAD_END = /\r?\n\r?\n/
const NEWLINE = 10
const RETURN = 13

const TRANSFER_ENCODING = /^transfer-encoding:[^\n]*\bchunked\s*$/im
const CONTENT_LENGTH = /^content-length:\s*(\d{1,15})\s*$/im

/** The length that a head itself names, or `otherwise`. */
export function namedBody(head: string, otherwise: Body): Body {
  if (TRANSFER_ENCODING.test(head)) return 'chunked'
  const length = CONTENT_LENGTH.exec(head)?.[1]
  return length === undefined ? otherwise : Number(length)
}

function skipNewlines(data: Buffer, at: number): number {
  let from = at
  while (data[from] === NEWLINE || data[from] === RETURN) from += 1
  return from
}

/**
 * Finds where messages begin and end in one direction of an HTTP/1.1 connection that somebody else reads: it holds on to
 * nothing but a head that is not complete, and what it cannot follow it leaves alone.
 */
export class HttpFraming {
  readonly #onHead: (head: string) => Body
  readonly #onEnd: () => void
  #state: 'head' | 'body' | 'size' | 'trailer' | 'rest' = 'head'
  /** Text of a head or of a line, as far as it has come. */
  #held = ''
  /** Bytes still to come of a body, or of a chunk with its line feed. */
  #left = 0
  #isChunk = false

  /**
   * @param onHead called with each head, without the empty line; says what follows it
   * @param onEnd called after the last byte of each message; not for those that end with the connection
   */
  constructor(onHead: (head: string) => Body, onEnd: () => void) {
    this.#onHead = onHead
    this.#onEnd = onEnd
  }

  /** Stops following: what comes is no HTTP any more. */
  stop(): void {
    this.#state = 'rest'
    this.#held = ''
  }

  read(data: Buffer): void {
    for (let at = 0; at < data.length && this.#state !== 'rest';) {
      if (this.#state === 'head') at = this.#readHead(data, at)
      else if (this.#state === 'body') at = this.#skip(data, at)
      else at = this.#readLine(data, at)
    }
  }

  /** Heads are short and few; only what completes one is looked at twice. */
  #readHead(data: Buffer, at: number): number {
    const held = this.#held
    // Empty lines before a request count for nothing (RFC 9112 section 2.2).
    const from = held === '' ? skipNewlines(data, at) : at
    const text = held + data.toString('latin1', from, from + MAX_HEAD_CHARACTERS - held.length)
    const found = HEAD_END.exec(text)
    if (found === null) {
      this.#held = text
      if (text.length >= MAX_HEAD_CHARACTERS) this.stop()
      return data.length
    }
    const end = found.index + found[0].length
    this.#held = ''
    this.#begin(this.#onHead(text.slice(0, end)))
    return from + end - held.length
  }

  #begin(body: Body): void {
    if (body === 'opaque' || body === 'until-close') return this.stop()
    if (body === 'chunked') {
      this.#isChunk = true
      this.#state = 'size'
      return undefined
    }
    this.#isChunk = false
    this.#left = body
    if (body === 0) return this.#end()
    this.#state = 'body'
    return undefined
  }

  #skip(data: Buffer, at: number): number {
    const taken = Math.min(this.#left, data.length - at)
    this.#left -= taken
    if (this.#left === 0) {
      if (this.#isChunk) this.#state = 'size'
      else this.#end()
    }
    return at + taken
  }

  /** The size of a chunk, or a line of the trailer, of which an empty one ends the message. */
  #readLine(data: Buffer, at: number): number {
    const end = data.indexOf(NEWLINE, at)
    this.#held += data.toString('latin1', at, end < 0 ? data.length : end)
    if (this.#held.length > MAX_HEAD_CHARACTERS) this.stop()
    if (end < 0) return data.length
    const line = this.#held.trim()
    this.#held = ''
    if (this.#state === 'trailer') {
      if (line === '') this.#end()
      return end + 1
    }
    const size = /^[0-9a-f]{1,12}(?=$|[\s;])/i.exec(line)?.[0]
    if (size === undefined) this.stop()
    else if (/^0+$/.test(size)) this.#state = 'trailer'
    else {
      this.#left = Number.parseInt(size, 16) + 2 // with the line feed behind the data
      this.#state = 'body'
    }
    return end + 1
  }

  #end(): void {
    this.#state = 'head'
    this.#onEnd()
  }
}
