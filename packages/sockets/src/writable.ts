import { WritableStream, WritableStreamDefaultWriter } from 'node:stream/web'
import { ignore } from './deferred.ts'
import { TEXT } from './messages.ts'
import type { Sender } from './sender.ts'

/**
 * The `writable` of a socket: a stream of Node's, so that it can be piped into, whose writer is ours and goes straight to
 * the sender. Unlike the standard's, that writer stays good after a chunk that cannot be sent (S-086), reports workerd's
 * budget (S-043, S-044), and tells a stream that failed from one that was closed.
 */
export class SocketWritable extends WritableStream<unknown> {
  readonly #sender: Sender

  constructor(sender: Sender) {
    super({
      write: (chunk) => sender.write(chunk),
      close: () => sender.close(),
      abort: (reason) => sender.abort(reason),
    })
    this.#sender = sender
  }

  /** @throws {TypeError} when locked */
  override getWriter(): WritableStreamDefaultWriter<unknown> {
    this.#checkLock()
    return new SocketWriter(this, this.#sender)
  }

  override async close(): Promise<void> {
    this.#checkLock()
    await this.#sender.close()
  }

  override async abort(reason?: unknown): Promise<void> {
    this.#checkLock()
    this.#sender.abort(reason)
  }

  #checkLock(): void {
    if (this.locked) throw new TypeError(TEXT.writableLocked)
  }
}

class SocketWriter extends WritableStreamDefaultWriter<unknown> {
  readonly #sender: Sender
  #released = false
  /** The stream failed while this writer held it: for this writer it is closed, whatever the stream itself says. */
  #over = false
  /** Made while the socket was being closed: its calls are refused as of that time, however soon it is closed (S-134). */
  readonly #late: boolean
  #closed: PromiseWithResolvers<void> | undefined

  constructor(stream: WritableStream<unknown>, sender: Sender) {
    super(stream)
    this.#sender = sender
    this.#late = sender.refusing
    sender.lock = {
      end: () => this.#closed?.resolve(),
      fail: () => {
        this.#over = true
        this.#closed?.reject(sender.error)
      },
    }
  }

  /** Made on demand: most programs never look at it. */
  override get closed(): Promise<void> {
    if (this.#closed === undefined) {
      this.#closed = Promise.withResolvers()
      this.#closed.promise.catch(ignore)
      const { state } = this.#sender
      if (this.#released) this.#closed.reject(new TypeError(TEXT.writerReleased))
      else if (state === 'errored') this.#closed.reject(this.#sender.error)
      else if (state === 'closed') this.#closed.resolve()
    }
    return this.#closed.promise
  }

  override get desiredSize(): number | null {
    if (this.#released) throw new TypeError(TEXT.writerReleased)
    return this.#over ? 0 : this.#sender.desiredSize
  }

  override get ready(): Promise<undefined> {
    return this.#sender.ready
  }

  override write(chunk?: unknown): Promise<void> {
    return this.#refusal() ?? this.#sender.write(chunk)
  }

  override close(): Promise<void> {
    return this.#refusal() ?? this.#sender.close()
  }

  override async abort(reason?: unknown): Promise<void> {
    if (this.#released) throw new TypeError(TEXT.writerReleased)
    if (!this.#over) this.#sender.abort(reason)
  }

  /** Writes on their way go on (S-089). */
  override releaseLock(): void {
    if (this.#released) return
    this.#released = true
    this.#sender.lock = undefined
    this.#closed?.reject(new TypeError(TEXT.writerReleased))
    super.releaseLock()
  }

  #refusal(): Promise<never> | undefined {
    if (this.#released) return Promise.reject(new TypeError(TEXT.writerReleased))
    if (!this.#over) return undefined
    return Promise.reject(new TypeError(this.#late ? TEXT.writableClosing : TEXT.writableClosed))
  }
}
