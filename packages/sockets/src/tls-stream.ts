import type { Socket as NodeSocket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'

type Done = (error?: Error | null) => void

/**
 * TLS over `tcp`, which is open. Node by itself tells a connection that was cut off as it tells the peer's farewell
 * (close_notify, RFC 8446 section 6.1): by `end`. Here it is an error, for bytes are missing and nobody knows how many (S-113).
 *
 * @throws what Node throws for options that cannot be used
 */
export function secureStream(tcp: NodeSocket, options: ConnectionOptions): TLSSocket {
  const underlay = new Underlay(tcp)
  let open = false
  // Before the TLS layer's own listener: what that has read by then is all it will ever read.
  underlay.once('end', () => {
    if (open && !underlay.farewell) endInError(stream)
  })
  const stream = connect({ ...options, socket: underlay })
  stream.once('secureConnect', () => (open = true))
  const push = stream.push.bind(stream)
  stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
    // A farewell is read before what it came through has ended; a cut is that end.
    if (chunk === null && !underlay.readableEnded) underlay.farewell = true
    return push(chunk, encoding)
  }
  stream.ref = () => {
    tcp.ref()
    return stream
  }
  stream.unref = () => {
    tcp.unref()
    return stream
  }
  return stream
}

/** In place of its end, once all that came before has been read, the stream fails. */
function endInError(stream: TLSSocket): void {
  const emit = stream.emit.bind(stream) as (event: string | symbol, ...args: unknown[]) => boolean
  stream.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event !== 'end') return emit(event, ...args)
    const error = new Error('the TLS connection was cut off without a farewell')
    stream.destroy(Object.assign(error, { code: 'ECONNRESET' }))
    return true
  }
}

/** What lies between TLS and TCP: passes bytes through, and keeps what the two have to say of their ends apart. */
class Underlay extends Duplex {
  /** The TLS layer has read the peer's farewell. What comes behind it is nobody's. */
  farewell = false
  readonly #tcp: NodeSocket
  #drained: Done | undefined

  constructor(tcp: NodeSocket) {
    // Its end is not its close: the TLS layer may still hold bytes that nobody has read.
    super({ autoDestroy: false, allowHalfOpen: true })
    this.#tcp = tcp
    tcp.on('data', this.#onData)
    tcp.on('end', () => this.push(null))
    tcp.on('drain', () => this.#onDrain())
    tcp.on('error', (error) => this.destroy(error))
    tcp.on('close', () => this.destroy())
  }

  override _read(): void {
    this.#tcp.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (this.#tcp.write(chunk)) done()
    else this.#drained = done
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: Done): void {
    this.#tcp.cork()
    let more = true
    for (const { chunk } of chunks) more = this.#tcp.write(chunk)
    this.#tcp.uncork()
    if (more) done()
    else this.#drained = done
  }

  override _final(done: Done): void {
    this.#tcp.end(() => done())
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#tcp.off('data', this.#onData)
    this.#tcp.destroy()
    done(error)
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.farewell && !this.push(chunk)) this.#tcp.pause()
  }

  #onDrain(): void {
    const done = this.#drained
    this.#drained = undefined
    done?.()
  }
}
