import { Buffer } from 'node:buffer'
import type { ReadableStreamReadResult } from 'node:stream/web'
import type { HeldStreams, OpenConnection } from 'hawser:runtime'

/** As much as a fast sender fills; workerd's default reader never gives more than 4 KiB (S-071). */
const READ_SIZE = 64 * 1024
/** What is smaller is copied, so that the buffer it came in can be used again. */
const COPY_BELOW = 16 * 1024
/** Several small chunks go out as one, as they would from Node's own sockets (S-271). */
const JOIN_BELOW = 64 * 1024
/** How long a connection that was let go may take to send what was written to it. */
const FLUSH_MS = 1_000

/** The two streams of a connection, locked from the start (S-270), in terms of chunks. */
export class Transport {
  readonly connection: OpenConnection
  readonly #reader: ReadableStreamBYOBReader
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>
  #buffer: ArrayBuffer | undefined
  #pending: Promise<ReadableStreamReadResult<Uint8Array>> | undefined

  constructor(connection: OpenConnection) {
    this.connection = connection
    this.#reader = connection.readable.getReader({ mode: 'byob' })
    this.#writer = connection.writable.getWriter()
    for (const promise of [this.#reader.closed, this.#writer.closed]) promise.catch(() => {})
  }

  /** Undefined at the end. One at a time. */
  async read(): Promise<Buffer | undefined> {
    this.#pending = this.#reader.read(new Uint8Array(this.#buffer ?? new ArrayBuffer(READ_SIZE)))
    const { value, done } = await this.#pending
    this.#pending = undefined
    if (done) return undefined
    const { buffer, byteLength } = value as Uint8Array<ArrayBuffer>
    const chunk = Buffer.from(buffer, 0, byteLength)
    this.#buffer = byteLength < COPY_BELOW ? buffer : undefined
    return this.#buffer === undefined ? chunk : Buffer.from(chunk)
  }

  /** Resolves when the bytes have left. */
  write(chunk: Uint8Array): Promise<void> {
    return this.#writer.write(chunk)
  }

  /** The same for all of them, in order. */
  async writeAll(chunks: readonly Uint8Array[]): Promise<void> {
    const total = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0)
    if (total < JOIN_BELOW) return this.write(Buffer.concat(chunks, total))
    await Promise.all(chunks.map((chunk) => this.write(chunk)))
  }

  /** Nothing more is written; reading goes on. */
  end(): Promise<void> {
    return this.#writer.close()
  }

  /** Lets the connection go, with what was written and not with what could never be. */
  async release(): Promise<void> {
    const stuck = setTimeout(() => void this.#writer.abort().catch(() => {}), FLUSH_MS)
    await this.connection.close().catch(() => {})
    clearTimeout(stuck)
  }

  /** A connection over this one, encrypted; this is done with. A read may be under way (which natively fails, S-287). */
  startTls(expectedServerHostname: string | undefined): OpenConnection {
    const underWay = this.#pending
    const held: HeldStreams = {
      nextRead: () => underWay ?? this.#reader.read(new Uint8Array(1)),
      writer: this.#writer,
    }
    return this.connection.startTls({ expectedServerHostname }, held)
  }
}
