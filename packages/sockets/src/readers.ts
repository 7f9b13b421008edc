import { ReadableStreamBYOBReader, ReadableStreamDefaultReader } from 'node:stream/web'
import type { ReadableStream, ReadableStreamReadResult } from 'node:stream/web'
import { toMinimum } from './convert.ts'
import { ignore } from './deferred.ts'
import { TEXT } from './messages.ts'
import type { ReaderLock, ReadResult, Receiver } from './receiver.ts'
import type { Bytes } from './view.ts'

/**
 * What both kinds of reader share. Ours replace what Node's do with rules that the standard does not have: one read at a
 * time (S-075), no release while it waits (S-076), failures told apart from cancelling (S-062, S-134 to S-136).
 */
class Lock implements ReaderLock {
  readonly #receiver: Receiver
  #released = false
  #closed: PromiseWithResolvers<void> | undefined

  constructor(receiver: Receiver) {
    this.#receiver = receiver
    receiver.lock = this
  }

  /** Made on demand: most programs never look at it. */
  get closed(): Promise<void> {
    if (this.#closed === undefined) {
      this.#closed = Promise.withResolvers()
      this.#closed.promise.catch(ignore)
      const { state } = this.#receiver
      if (this.#released) this.#closed.reject(new TypeError(TEXT.readerReleased))
      else if (state !== 'open') this.settle(state === 'done' ? undefined : state)
    }
    return this.#closed.promise
  }

  settle(error?: Error): void {
    if (error === undefined) this.#closed?.resolve()
    else this.#closed?.reject(error)
  }

  /** The receiver, for as long as the lock is held. @throws {TypeError} after that */
  get receiver(): Receiver {
    if (this.#released) throw new TypeError(TEXT.readerReleased)
    return this.#receiver
  }

  async cancel(reason: unknown): Promise<void> {
    const { receiver } = this
    if (receiver.state instanceof Error) throw receiver.state
    receiver.cancel(reason)
  }

  /** @returns false if it was released before. @throws {TypeError} while a read waits */
  release(): boolean {
    if (this.#released) return false
    if (this.#receiver.waiting) throw new TypeError(TEXT.releasePending)
    this.#released = true
    this.#receiver.lock = undefined
    this.#closed?.reject(new TypeError(TEXT.readerReleased))
    return true
  }
}

/** The default reader of a socket. */
export class SocketReader extends ReadableStreamDefaultReader<Bytes> {
  readonly #lock: Lock

  constructor(stream: ReadableStream<Bytes>, receiver: Receiver) {
    super(stream)
    this.#lock = new Lock(receiver)
  }

  override get closed(): Promise<void> {
    return this.#lock.closed
  }

  override cancel(reason?: unknown): Promise<void> {
    return this.#lock.cancel(reason)
  }

  override read(): Promise<ReadableStreamReadResult<Bytes>> {
    try {
      return this.#lock.receiver.read()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  override releaseLock(): void {
    if (this.#lock.release()) super.releaseLock()
  }
}

/** The BYOB reader of a socket. Whatever view goes in, a `Uint8Array` on the same memory comes out, as on workerd. */
export class SocketByobReader extends ReadableStreamBYOBReader {
  readonly #lock: Lock

  constructor(stream: ReadableStream<Bytes>, receiver: Receiver) {
    super(stream)
    this.#lock = new Lock(receiver)
  }

  override get closed(): Promise<void> {
    return this.#lock.closed
  }

  override cancel(reason?: unknown): Promise<void> {
    return this.#lock.cancel(reason)
  }

  /** S-072, S-073, S-074. */
  override async read<T extends ArrayBufferView>(
    view: T,
    options?: { min?: number },
  ): Promise<ReadableStreamReadResult<T>> {
    if (!ArrayBuffer.isView(view)) throw notAView('read', 1)
    return this.#read(view, options?.min) as Promise<ReadableStreamReadResult<never>>
  }

  /** As `read(view, { min: bytes })`; workerd's older name for it. */
  async readAtLeast(bytes: number, view: ArrayBufferView): Promise<ReadResult> {
    if (!ArrayBuffer.isView(view)) throw notAView('readAtLeast', 2)
    return this.#read(view, bytes)
  }

  override releaseLock(): void {
    if (this.#lock.release()) super.releaseLock()
  }

  #read(view: ArrayBufferView, min: unknown): Promise<ReadResult> {
    const { receiver } = this.#lock
    // Also what a view looks like whose memory was taken before.
    if (view.byteLength === 0) throw new TypeError(TEXT.viewEmpty)
    return receiver.readInto(view, min === undefined ? 1 : toMinimum(min, view.byteLength))
  }
}

function notAView(method: string, position: number): TypeError {
  return new TypeError(
    `Failed to execute '${method}' on 'ReadableStreamBYOBReader': parameter ${position} is not of type 'ArrayBufferView'.`,
  )
}
