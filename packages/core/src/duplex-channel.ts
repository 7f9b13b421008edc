import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { Channel, ChannelSink } from './channel.ts'
import { countRead } from './heap.ts'

interface Resettable {
  resetAndDestroy(): void
}

function canReset(stream: Duplex): stream is Duplex & Resettable {
  return 'resetAndDestroy' in stream && typeof stream.resetAndDestroy === 'function'
}

/** A socket of the kernel's. It cannot be reset while it waits to send its end (EINVAL); Node then forgets to close it. */
function isKernelSocket(stream: Duplex): boolean {
  return canReset(stream) && stream.resetAndDestroy === Socket.prototype.resetAndDestroy
}

/**
 * Ends `stream` so that its peer sees a reset, not a clean end; where the transport knows no reset (a unix socket, an
 * in-memory pair), it is destroyed.
 */
export function resetStream(stream: Duplex): void {
  if (stream.destroyed) return
  const ending = stream.writableEnded && !stream.writableFinished
  if (!canReset(stream) || (ending && isKernelSocket(stream))) {
    stream.destroy()
    return
  }
  try {
    stream.resetAndDestroy()
  } catch {
    stream.destroy() // net.Socket refuses on pipes and on sockets without a handle
  }
}

const NOTHING = Buffer.alloc(0)

/** Nothing is left to read or to send, and the kernel's own end is all that its peer waits for (TLS says farewell first). */
function isSpent(stream: Duplex): boolean {
  return stream.readableEnded && stream.writableLength === 0 && isKernelSocket(stream) && !(stream instanceof TLSSocket)
}

/**
 * Ends `stream`; a socket only once all that was written has been handed over: one that waits to send its end can no longer
 * be reset, and a slow peer could make that wait long. A socket that has been read to its end is closed, which sends the end
 * as well and saves a turn: some 8 % of what a short connection costs.
 *
 * @param onFinished called when the end is out; not where the stream fails, of which its own events tell
 */
export function endWhenSent(stream: Duplex, onFinished: () => void): void {
  if (isSpent(stream)) {
    stream.destroy()
    onFinished()
    return
  }
  const end = (): void => {
    stream.end(() => {
      if (stream.writableFinished) onFinished()
    })
  }
  if (stream.writableLength === 0 || !isKernelSocket(stream)) end()
  else stream.write(NOTHING, (error) => (error === undefined || error === null ? end() : undefined))
}

/**
 * A chunk of this size is likely to have company: the pieces that one read brings, such as the records of TLS, then leave in
 * one write. Small ones go at once, since somebody waits for them.
 */
const BULK_BYTES = 4 * 1024

/** A Duplex, such as a socket, as a {@link Channel}. Owns the stream from {@link Channel.deliverTo} on. */
export class DuplexChannel implements Channel {
  readonly #stream: Duplex
  readonly #gathers: boolean
  #sink: ChannelSink | undefined
  #reads = false
  #corked = false
  #full = false
  /** The end has been handed over. */
  #sent = false
  /** The peer's end has been delivered. A stream that fails in place of its end calls itself ended too. */
  #ended = false
  #closed = false

  constructor(stream: Duplex) {
    this.#stream = stream
    this.#gathers = isKernelSocket(stream)
  }

  get lost(): Error | undefined {
    const stream = this.#stream
    if (!stream.destroyed) return undefined
    return stream.errored ?? new Error('a stream was closed before it was spliced')
  }

  deliverTo(sink: ChannelSink): void {
    const listens = this.#sink !== undefined
    this.#sink = sink
    if (listens) return
    const stream = this.#stream
    // Listeners that stay: a stream may still fail after it has ended, and that must not become an uncaught error.
    stream.on('error', this.#onError)
    stream.on('close', this.#onClose)
    stream.on('end', this.#onEnd)
  }

  write(chunk: Buffer): boolean {
    if (this.#gathers && !this.#corked && chunk.length >= BULK_BYTES) {
      this.#corked = true
      this.#stream.cork()
      setImmediate(this.#uncork)
    }
    if (this.#stream.write(chunk)) return true
    if (!this.#full) this.#stream.once('drain', this.#onDrain)
    this.#full = true
    return false
  }

  end(): void {
    endWhenSent(this.#stream, this.#onSent)
  }

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    if (!this.#reads) {
      this.#reads = true
      this.#stream.on('data', (chunk: Buffer) => this.deliver(chunk))
    }
    this.#stream.resume()
  }

  reset(): void {
    this.#closed = true
    this.#uncork() // what came before the failure leaves before the reset
    if (this.#sent && this.#ended) this.#stream.destroy()
    else resetStream(this.#stream)
  }

  /** For whoever reads. */
  protected deliver(chunk: Buffer): void {
    countRead(chunk.length)
    this.#sink?.onData(chunk)
  }

  readonly #uncork = (): void => {
    if (!this.#corked) return
    this.#corked = false
    this.#stream.uncork()
  }

  readonly #onEnd = (): void => {
    this.#ended = true
    this.#sink?.onEnd()
  }

  readonly #onDrain = (): void => {
    this.#full = false
    this.#sink?.onDrain()
  }

  readonly #onSent = (): void => {
    this.#sent = true
    this.#sink?.onSent()
  }

  readonly #onError = (error: Error): void => this.#lose(error)

  readonly #onClose = (): void => this.#lose(this.#stream.errored)

  #lose(error: Error | null): void {
    if (this.#closed || (this.#sent && this.#ended)) return
    this.reset()
    this.#sink?.onLost(error ?? new Error('a stream closed before its end'))
  }
}

/** Any open connection as a Channel. */
export function channelOf(connection: Channel | Duplex): Channel {
  return 'deliverTo' in connection ? connection : new DuplexChannel(connection)
}
