import { ReadableStream, WritableStream } from 'node:stream/web'
import type {
  ReadableByteStreamController,
  ReadableStreamAsyncIterator,
  ReadableStreamBYOBReader,
  ReadableStreamDefaultReader,
  ReadableStreamReader,
  ReadableWritablePair,
  StreamPipeOptions,
  UnderlyingByteSource,
} from 'node:stream/web'
import { TEXT } from './messages.ts'
import { SocketByobReader, SocketReader } from './readers.ts'
import type { Receiver } from './receiver.ts'
import type { Bytes } from './view.ts'
import { SocketWritable } from './writable.ts'

/** Node's machinery asks for a chunk only when somebody waits for one. */
const BY_DEMAND = { highWaterMark: 0 }

/** Node asks a stream by this registered symbol whether it was read from; `new Response(stream)` does so. */
const DISTURBED = Symbol.for('nodejs.stream.disturbed')

/**
 * The `readable` of a socket: a byte stream of Node's, so that `Response`, `tee()`, `pipeTo()`, `Readable.fromWeb()` and
 * all else that takes streams takes it; but its readers are ours (readers.ts) and go straight to the receiver.
 */
export class SocketReadable extends ReadableStream<Bytes> {
  readonly #receiver: Receiver

  static {
    Object.defineProperty(this.prototype, DISTURBED, {
      get(this: SocketReadable): boolean {
        return this.#receiver.disturbed
      },
    })
  }

  constructor(receiver: Receiver) {
    const source: UnderlyingByteSource = {
      type: 'bytes',
      pull: (controller) => this.#feed(controller),
      cancel: (reason) => receiver.cancel(reason),
    }
    // The types know byte sources only for streams of the very type `ReadableStream<Uint8Array>`.
    super(source as object, BY_DEMAND)
    this.#receiver = receiver
  }

  /** S-070. @throws {TypeError} when locked, or for another mode than `byob` */
  override getReader(options: { mode: 'byob' }): ReadableStreamBYOBReader
  override getReader(): ReadableStreamDefaultReader<Bytes>
  override getReader(options?: unknown): ReadableStreamReader<Bytes>
  override getReader(options?: unknown): ReadableStreamReader<Bytes> {
    const mode = readMode(options)
    this.#checkLock()
    return mode === 'byob' ? new SocketByobReader(this, this.#receiver) : new SocketReader(this, this.#receiver)
  }

  override async cancel(reason?: unknown): Promise<void> {
    this.#checkLock()
    if (this.#receiver.state instanceof Error) throw this.#receiver.state
    this.#receiver.cancel(reason)
  }

  override async pipeTo(destination: WritableStream<Bytes>, options?: StreamPipeOptions): Promise<void> {
    if (!(destination instanceof WritableStream)) {
      throw new TypeError(
        "Failed to execute 'pipeTo' on 'ReadableStream': parameter 1 is not of type 'WritableStream'.",
      )
    }
    this.#checkLock()
    if (destination.locked) throw new TypeError(TEXT.pipeTargetLocked)
    if (this.#receiver.refusing) throw new TypeError(TEXT.readableClosing)
    // From socket to socket the bytes never meet JavaScript on workerd, and an end is not seen by this side (S-079).
    this.#receiver.pullCounts = !(destination instanceof SocketWritable)
    await super.pipeTo(destination, options)
  }

  override pipeThrough<T>(transform: ReadableWritablePair<T, Bytes>, options?: StreamPipeOptions): ReadableStream<T> {
    const { readable, writable } = readTransform(transform)
    this.#checkLock()
    this.pipeTo(writable, options).catch(() => {}) // a failure reaches `readable`
    return readable
  }

  override tee(): [ReadableStream<Bytes>, ReadableStream<Bytes>] {
    this.#checkLock()
    if (this.#receiver.refusing) throw new TypeError(TEXT.readableClosing)
    this.#receiver.pullCounts = false
    return super.tee()
  }

  override values(options?: { preventCancel?: boolean }): ReadableStreamAsyncIterator<Bytes> {
    return iterate(this.getReader(), options?.preventCancel === true) as ReadableStreamAsyncIterator<Bytes>
  }

  override [Symbol.asyncIterator](): ReadableStreamAsyncIterator<Bytes> {
    return this.values()
  }

  #checkLock(): void {
    if (this.locked) throw new TypeError(TEXT.readableLocked)
  }

  /** Serves Node's own readers: those of `tee()` and `pipeTo()`, and any that was made by hand. */
  async #feed(controller: ReadableByteStreamController): Promise<void> {
    const result = await this.#receiver.pull(() => this.locked && this.#receiver.lock === undefined)
    if (result === undefined) return
    if (!result.done) return controller.enqueue(result.value)
    controller.close()
    controller.byobRequest?.respond(0)
  }
}

function readMode(options: unknown): 'byob' | undefined {
  if (options === undefined || options === null) return undefined
  if (typeof options !== 'object' && typeof options !== 'function') {
    throw new TypeError(
      "Failed to execute 'getReader' on 'ReadableStream': parameter 1 is not of type 'GetReaderOptions'.",
    )
  }
  const { mode }: { mode?: unknown } = options
  if (mode === undefined || mode === 'byob') return mode
  throw new TypeError(TEXT.readerMode)
}

function readTransform<T>(transform: ReadableWritablePair<T, Bytes>): ReadableWritablePair<T, Bytes> {
  if (typeof transform !== 'object' || transform === null) {
    throw new TypeError("Failed to execute 'pipeThrough' on 'ReadableStream': parameter 1 is not of type 'Transform'.")
  }
  const { readable, writable } = transform
  const wrong = (field: string, type: string): TypeError =>
    new TypeError(
      `Incorrect type for the '${field}' field on 'Transform': the provided value is not of type '${type}'.`,
    )
  if (!(readable instanceof ReadableStream)) throw wrong('readable', 'ReadableStream')
  if (!(writable instanceof WritableStream)) throw wrong('writable', 'WritableStream')
  return { readable, writable }
}

/** S-078: leaving the loop cancels the stream, unless that is prevented. */
async function* iterate(reader: ReadableStreamDefaultReader<Bytes>, keep: boolean): AsyncGenerator<Bytes, void> {
  let over = false
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      yield value
    }
    over = true
  } catch (error) {
    over = true
    throw error
  } finally {
    if (!over && !keep) await reader.cancel()
    reader.releaseLock()
  }
}
