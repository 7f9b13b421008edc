import { Duplex } from 'node:stream'
import type { Channel, ChannelSink } from './channel.ts'
import { HawserError } from './errors.ts'

type Done = (error?: Error | null) => void

const OPTIONS = { readableHighWaterMark: 16 * 1024, writableHighWaterMark: 128 * 1024 } as const

/**
 * A {@link Channel} for those who need a Duplex. `destroy()` before both ends is a reset. What arrived before a failure is
 * read before it, as with a socket of the kernel's; a write behind it fails at once.
 */
export class ChannelDuplex extends Duplex implements ChannelSink {
  readonly #channel: Channel
  #writing: Done | undefined
  #finishing: Done | undefined
  /** What the stream fails with once all that came before has been read. */
  #lateError: Error | undefined

  constructor(channel: Channel) {
    super(OPTIONS)
    this.#channel = channel
    channel.deliverTo(this)
    if (channel.lost !== undefined) this.destroy(channel.lost)
  }

  /** Resets the connection at once: the peer sees an error, not an end. Nothing queued is sent. */
  resetAndDestroy(): this {
    return this.destroy()
  }

  /** Ends writing and destroys the stream once all is sent, as `net.Socket` does. */
  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  onData(chunk: Buffer): void {
    // A small piece that has to wait must not keep alive the whole chunk it arrived in.
    const waits = this.readableLength > 0 && chunk.length * 2 < chunk.buffer.byteLength
    if (!this.push(waits ? Buffer.from(chunk) : chunk)) this.#channel.pause()
  }

  onEnd(): void {
    this.push(null)
  }

  onDrain(): void {
    const done = this.#writing
    this.#writing = undefined
    done?.()
  }

  onSent(): void {
    const done = this.#finishing
    this.#finishing = undefined
    done?.()
  }

  onLost(error: Error): void {
    const mayWait = this.readableLength > 0 && this.#writing === undefined && this.#finishing === undefined
    if (mayWait) this.#lateError = error
    else this.destroy(error)
  }

  override read(size?: number): Buffer | null {
    const chunk = super.read(size) as Buffer | null
    if (this.#lateError !== undefined && this.readableLength === 0) this.destroy(this.#lateError)
    return chunk
  }

  override _read(): void {
    this.#channel.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (this.#lateError !== undefined) return done(this.#lateError)
    this.#writing = done
    if (this.#channel.write(chunk)) this.onDrain()
    return undefined
  }

  override _final(done: Done): void {
    if (this.#lateError !== undefined) return done(this.#lateError)
    this.#finishing = done
    return this.#channel.end()
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#channel.reset()
    const unfinished = this.#writing ?? this.#finishing
    this.#writing = undefined
    this.#finishing = undefined
    unfinished?.(error ?? new HawserError('connection_aborted', 'the stream was destroyed before all was sent'))
    done(error)
  }
}
