import { Duplex } from 'node:stream'
import { endWhenSent, resetStream } from '@hawser/core'

type Done = (error?: Error | null) => void

/** How long the target may take to end a connection after both farewells. */
const CLOSE_LIMIT_MS = 5_000

/**
 * What lies between a TLS layer and the connection beneath it. Node's TLS destroys what it stands on as soon as it is done
 * itself, which on a tunnel's stream is a reset that overtakes the last bytes; and it takes a connection that was cut for
 * one that ended. This passes bytes through and keeps the two ends apart: it lets the connection end in its own time, and
 * knows whether the peer has said farewell (close_notify, RFC 8446 section 6.1) before it went.
 */
export class TlsWire extends Duplex {
  /** Set by the owner when the TLS layer has read the peer's farewell. What comes behind it is nobody's. */
  farewell = false
  readonly #raw: Duplex
  #drained: Done | undefined
  #reset = false

  /** Takes over `raw`, with what is still unread in it; destroys it in the end. */
  constructor(raw: Duplex) {
    // Its end is not its close: the TLS layer may still hold bytes that nobody has read, and closes with it.
    super({ autoDestroy: false, allowHalfOpen: true })
    this.#raw = raw
    raw.on('data', this.#onData)
    raw.on('drain', this.#onDrain)
    raw.on('error', this.#onError) // stays: see #onClose
    raw.on('close', this.#onClose)
    if (raw.readableEnded) this.push(null)
    else raw.on('end', this.#onEnd)
    if (raw.destroyed) this.destroy(raw.errored ?? undefined)
  }

  /** Ends the connection beneath so that the target sees a reset. */
  resetAndDestroy(): void {
    this.#reset = true
    this.destroy()
  }

  override _read(): void {
    this.#raw.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (this.#raw.write(chunk)) done()
    else this.#drained = done
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: Done): void {
    const raw = this.#raw
    raw.cork()
    let more = true
    for (const { chunk } of chunks) more = raw.write(chunk)
    raw.uncork()
    if (more) done()
    else this.#drained = done
  }

  override _final(done: Done): void {
    endWhenSent(this.#raw, done)
  }

  override _destroy(error: Error | null, done: Done): void {
    const raw = this.#raw
    this.#drained = undefined
    raw.off('data', this.#onData)
    raw.off('end', this.#onEnd)
    const complete = error === null && this.writableFinished && (this.farewell || this.readableEnded)
    if (raw.destroyed) return done(error)
    if (complete && !this.#reset) lingerUntilClosed(raw)
    else if (this.#reset || error !== null) resetStream(raw)
    else raw.destroy()
    return done(error)
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.farewell) return
    if (!this.push(chunk)) this.#raw.pause()
  }

  readonly #onDrain = (): void => {
    const done = this.#drained
    this.#drained = undefined
    done?.()
  }

  readonly #onEnd = (): void => {
    this.push(null)
  }

  readonly #onError = (error: Error): void => {
    this.destroy(error)
  }

  readonly #onClose = (): void => {
    if (this.#raw.readableEnded && this.#raw.writableFinished) return
    this.destroy(new Error('the connection closed before its end'))
  }
}

/** Both sides have said all: the connection is left to end by itself, if the target does not take for ever. */
function lingerUntilClosed(raw: Duplex): void {
  const timer = setTimeout(() => raw.destroy(), CLOSE_LIMIT_MS).unref()
  raw.once('close', () => clearTimeout(timer))
  if (raw.readableEnded) raw.destroy()
  else raw.once('end', () => raw.destroy()).resume()
}
