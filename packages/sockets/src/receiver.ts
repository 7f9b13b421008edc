import type { Socket as NodeSocket } from 'node:net'
import { asError, TEXT } from './messages.ts'
import { plain, takeOver } from './view.ts'
import type { Bytes } from './view.ts'

/** What a read resolves with. */
export type ReadResult = { done: false; value: Bytes } | { done: true; value: Bytes | undefined }

/** What the receiving half tells its connection. An end or a loss counts when it is read, not when it arrives (S-101). */
export interface ReceiverEvents {
  endWasRead(): void
  lossWasRead(): void
}

/** The reader of ours that holds the lock, as far as the receiver needs it: its `closed` promise. */
export interface ReaderLock {
  settle(error?: Error): void
}

/** A read by a reader of ours that waits. */
interface ReadRequest {
  readonly resolve: (result: ReadResult) => void
  readonly reject: (error: unknown) => void
  /** Where the bytes go (BYOB); without it, a chunk is handed out as it came. */
  readonly view: Bytes | undefined
  readonly minimum: number
  filled: number
}

/** A read by Node's own stream machinery that waits. */
interface PullRequest {
  readonly resolve: (result: ReadResult | undefined) => void
  readonly reject: (error: unknown) => void
  /** False once the consumer that pulled has let go of the stream. */
  readonly wanted: () => boolean
}

/**
 * The receiving half of one socket: what came and was not read, at most one read that waits, and what comes behind.
 *
 * Reading is by demand: Node's socket is paused until a read waits. A consumer that keeps up never pauses it again; one
 * that does not costs the chunk that came unasked and one more inside Node, together at most 128 KiB.
 */
export class Receiver {
  readonly #events: ReceiverEvents
  #socket: NodeSocket | undefined
  #chunks: Uint8Array[] = []
  #read: ReadRequest | undefined
  #pull: PullRequest | undefined
  /** What follows the chunks: nothing yet, the peer's end, or the loss of the connection. */
  #tail: 'end' | Error | undefined
  /** `done`: reads answer `{done: true}` from here on. An error: they reject with it. */
  #state: 'open' | 'done' | Error = 'open'
  #refusing = false
  #flowing = false
  lock: ReaderLock | undefined
  /** Something was read, or never can be: no longer good as a body (S-066). */
  disturbed = false
  /** An end read by Node's machinery counts as read: so for `pipeTo()`, not for `tee()` (S-079). */
  pullCounts = false

  constructor(events: ReceiverEvents) {
    this.#events = events
  }

  get state(): 'open' | 'done' | Error {
    return this.#state
  }

  get refusing(): boolean {
    return this.#refusing
  }

  /** True while a reader of ours waits, which keeps it from letting go of its lock (S-076). */
  get waiting(): boolean {
    return this.#read !== undefined
  }

  /** What lies here that nobody has read: bytes, or the end of the connection. */
  get unread(): 'bytes' | 'end' | undefined {
    if (this.#chunks.length > 0 || (this.#socket?.readableLength ?? 0) > 0) return 'bytes'
    return this.#tail === undefined ? undefined : 'end'
  }

  /** Reads that wait are served from `socket` from here on. It has to be paused. */
  attach(socket: NodeSocket): void {
    this.#socket = socket
    if (this.#read !== undefined || this.#pull !== undefined) this.#demand()
  }

  /** The socket is another's now. */
  detach(): void {
    this.#socket = undefined
    this.disturbed = true
  }

  /** A chunk from the wire. Its memory becomes the reader's. */
  receive(chunk: Uint8Array): void {
    const read = this.#read
    if (read !== undefined && read.view === undefined && this.#chunks.length === 0) {
      this.#read = undefined
      read.resolve({ done: false, value: plain(chunk) })
      return
    }
    if (this.#state !== 'open') return
    this.#chunks.push(chunk)
    this.#serve()
    if (this.#chunks.length > 0) this.#pause()
  }

  /** The end or the loss of the connection, from the wire. */
  finish(tail: 'end' | Error): void {
    this.#tail ??= tail
    this.#serve()
  }

  /** A write has met the loss: a read that waits fails, later ones find the end (S-112). */
  lostByWrite(error: Error): void {
    const waiting = this.#read !== undefined || this.#pull !== undefined
    this.#tail = waiting ? error : 'end'
    this.#serve()
  }

  /** Reads a chunk as it came. */
  read(): Promise<ReadResult> {
    const refusal = this.#enter()
    if (refusal !== undefined) return Promise.reject(refusal)
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) return Promise.resolve({ done: false, value: plain(chunk) })
    if (this.#state === 'done') return Promise.resolve({ done: true, value: undefined })
    return this.#wait(undefined, 1)
  }

  /**
   * Reads at least `minimum` bytes into the memory under `view`, which the caller loses (S-072, S-073).
   * Rejects with a `TypeError` where that memory cannot be taken.
   */
  async readInto(view: ArrayBufferView, minimum: number): Promise<ReadResult> {
    const refusal = this.#enter()
    if (refusal !== undefined) throw refusal
    const target = takeOver(view)
    if (this.#state === 'done') return { done: true, value: target.subarray(0, 0) }
    return this.#wait(target, minimum)
  }

  /**
   * Reads a chunk for Node's machinery. Bytes that arrive when the consumer has gone stay here for the next one.
   * @returns undefined where there was nothing to hand over, and the machinery should leave its stream as it is
   */
  pull(wanted: () => boolean): Promise<ReadResult | undefined> {
    this.disturbed = true
    if (this.#state instanceof Error) return Promise.reject(this.#state)
    this.#pull?.resolve(undefined)
    const { promise, resolve, reject } = Promise.withResolvers<ReadResult | undefined>()
    this.#pull = { resolve, reject, wanted }
    this.#serve()
    if (this.#pull !== undefined) this.#demand()
    return promise
  }

  /** Drops what came and will come. The peer is told nothing (S-077). Also the state after a failed connect (S-062). */
  cancel(reason: unknown): void {
    this.#conclude('done', () => (reason === undefined ? new Error(TEXT.cancelled) : asError(reason)))
  }

  /** Reads reject from here on; one that waits goes on waiting (S-134). */
  refuse(): void {
    this.#refusing = true
  }

  /** The socket is closed: the read that waits fails (S-136). */
  shut(): void {
    this.#conclude('done', () => new TypeError(TEXT.socketClosed))
  }

  /** Every read fails with `error`, the one that waits too. */
  fail(error: Error): void {
    if (this.#state === 'open') this.#conclude(error, () => error)
  }

  #conclude(state: 'done' | Error, error: () => Error): void {
    this.#state = state
    this.#chunks = []
    this.disturbed = true
    this.#pause()
    this.lock?.settle(state === 'done' ? undefined : state)
    this.#read?.reject(error())
    this.#read = undefined
    if (state === 'done') this.#pull?.resolve({ done: true, value: undefined })
    else this.#pull?.reject(state)
    this.#pull = undefined
  }

  /** The checks before a read of a reader of ours. It takes the place of what Node's machinery left waiting. */
  #enter(): Error | undefined {
    this.disturbed = true
    if (this.#refusing) return new TypeError(TEXT.readableClosing)
    if (this.#state instanceof Error) return this.#state
    if (this.#read !== undefined) return new TypeError(TEXT.readPending)
    this.#pull?.resolve(undefined)
    this.#pull = undefined
    return undefined
  }

  #wait(view: Bytes | undefined, minimum: number): Promise<ReadResult> {
    const { promise, resolve, reject } = Promise.withResolvers<ReadResult>()
    this.#read = { resolve, reject, view, minimum, filled: 0 }
    this.#serve()
    if (this.#read !== undefined) this.#demand()
    return promise
  }

  /** Gives what is here to whoever waits. */
  #serve(): void {
    if (this.#read !== undefined) this.#serveRead(this.#read)
    else if (this.#pull !== undefined) this.#servePull(this.#pull)
  }

  #serveRead(read: ReadRequest): void {
    if (read.view !== undefined) this.#fill(read, read.view)
    const enough = read.view === undefined ? this.#chunks.length > 0 : read.filled >= read.minimum
    // A BYOB read that has some bytes at the end hands them out first; the next read finds the end.
    const partial = read.filled > 0 && this.#tail === 'end'
    if (enough || partial) {
      this.#read = undefined
      const chunk = read.view?.subarray(0, read.filled) ?? plain(this.#chunks.shift() ?? new Uint8Array())
      read.resolve({ done: false, value: chunk })
    } else if (this.#tail === 'end') {
      this.#read = undefined
      this.#endRead(() => read.resolve({ done: true, value: read.view?.subarray(0, 0) }), true)
    } else if (this.#tail !== undefined) {
      this.#read = undefined
      this.#lossRead(this.#tail, read.reject)
    }
  }

  #servePull(pull: PullRequest): void {
    const nothing = this.#chunks.length === 0 && this.#tail === undefined && this.#state === 'open'
    if (nothing) return
    this.#pull = undefined
    if (!pull.wanted()) return pull.resolve(undefined)
    if (this.#state === 'done') return pull.resolve({ done: true, value: undefined })
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) return pull.resolve({ done: false, value: plain(chunk) })
    if (this.#tail instanceof Error) return this.#lossRead(this.#tail, pull.reject)
    this.#endRead(() => pull.resolve({ done: true, value: undefined }), this.pullCounts)
  }

  #fill(read: ReadRequest, view: Bytes): void {
    let chunk = this.#chunks[0]
    while (chunk !== undefined && read.filled < view.length) {
      const part = chunk.subarray(0, view.length - read.filled)
      view.set(part, read.filled)
      read.filled += part.length
      if (part.length === chunk.length) this.#chunks.shift()
      else this.#chunks[0] = chunk.subarray(part.length)
      chunk = this.#chunks[0]
    }
  }

  /** In the order drivers see on workerd (S-100): `reader.closed`, the read, then the writing half. */
  #endRead(answer: () => void, counts: boolean): void {
    const first = this.#state === 'open'
    this.#state = 'done'
    this.lock?.settle()
    answer()
    if (first && counts) this.#events.endWasRead()
  }

  #lossRead(error: Error, reject: (error: Error) => void): void {
    this.#state = error
    this.#events.lossWasRead()
    this.lock?.settle(error)
    reject(error)
  }

  #demand(): void {
    if (this.#flowing || this.#socket === undefined) return
    this.#flowing = true
    this.#socket.resume()
  }

  #pause(): void {
    if (!this.#flowing) return
    this.#flowing = false
    this.#socket?.pause()
  }
}
