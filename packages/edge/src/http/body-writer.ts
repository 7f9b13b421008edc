import type { Writable } from 'node:stream'
import type { Framing } from './body-reader.ts'

/**
 * Writes a body in its framing. The payload itself is handed on as it came, uncopied; in the chunked coding a size line
 * precedes each run of it.
 */
export class BodyWriter {
  readonly #to: Writable
  readonly #chunked: boolean
  #started = false
  /** Payload bytes written. */
  bytes = 0

  constructor(to: Writable, framing: Framing) {
    this.#to = to
    this.#chunked = framing === 'chunked'
  }

  /** @returns false when `to` is full: stop, and wait for its `drain`. */
  write(payload: Buffer): boolean {
    this.bytes += payload.length
    if (!this.#chunked) return this.#to.write(payload)
    const size = payload.length.toString(16)
    this.#to.cork() // the size line and the payload leave in one writev
    this.#to.write(this.#started ? `\r\n${size}\r\n` : `${size}\r\n`, 'latin1')
    const more = this.#to.write(payload)
    this.#to.uncork()
    this.#started = true
    return more
  }

  end(): void {
    if (this.#chunked) this.#to.write(this.#started ? '\r\n0\r\n\r\n' : '0\r\n\r\n', 'latin1')
  }
}
