import { connect as connectTcp } from 'node:net'
import type { Socket as NodeSocket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { secureStream } from './tls-stream.ts'

/** How long a closed TLS connection waits for the peer to end as well. */
const LINGER_MS = 2000

/**
 * Node stops reading with the first chunk that a paused socket gets. With a buffer it would go on, and what lies in that
 * buffer is gone when it then meets a reset (S-113). The types leave the option out.
 */
const UNBUFFERED = { highWaterMark: 0 }

/** What a wire tells the connection that holds it. Nothing comes after a failure, a loss or a `release()`. */
export interface WireEvents {
  wireOpened(): void
  /** It never opened. */
  wireFailed(cause: Error): void
  wireReceived(chunk: Uint8Array): void
  /** The peer has ended. */
  wireEnded(): void
  /** It broke after it had opened. */
  wireLost(cause: Error): void
}

/**
 * One TCP connection, or TLS over one: Node's socket with its ways kept from the rest. It begins paused, so that no byte is
 * read that nobody asked for, and half-open, so that an end is only ever sent by the sender.
 */
export class Wire {
  /** The TCP socket, below TLS too: Node can reset only that one. */
  readonly #tcp: NodeSocket
  /** What carries the bytes: the TCP socket, until TLS has begun. */
  #stream: NodeSocket
  #events: WireEvents | undefined
  #open = false

  private constructor(tcp: NodeSocket, events: WireEvents) {
    this.#tcp = tcp
    this.#stream = tcp
    this.#events = events
    tcp.on('error', this.#break)
    tcp.on('close', this.#break)
  }

  /** Dials, and goes over to TLS where options for it are given. */
  static dial(host: string, port: number, tls: ConnectionOptions | undefined, events: WireEvents): Wire {
    const tcp = connectTcp({ host, port, allowHalfOpen: true, noDelay: true, ...UNBUFFERED }).pause()
    const wire = new Wire(tcp, events)
    if (tls === undefined) wire.#follow('connect')
    // Not before: while several addresses are tried, Node swaps the handle of the TCP socket under what lies above it.
    else tcp.once('connect', () => wire.#secure(tls))
    return wire
  }

  /** Goes over to TLS on `tcp`, which is open. */
  static upgrade(tcp: NodeSocket, tls: ConnectionOptions, events: WireEvents): Wire {
    const wire = new Wire(tcp, events)
    wire.#secure(tls)
    return wire
  }

  get stream(): NodeSocket {
    return this.#stream
  }

  /** Gives the TCP connection away: no event comes from here any more. */
  release(): NodeSocket {
    this.#events = undefined
    return this.#tcp
  }

  /**
   * Ends both directions: by FIN; by RST if `unread` says that bytes came which nobody read, so that the peer does not take
   * them for delivered (S-138).
   */
  destroy(unread: boolean): void {
    this.#events = undefined
    if (this.#stream.destroyed) return
    if (this.#stream !== this.#tcp) this.#linger(this.#stream)
    else if (unread) this.reset()
    else this.#tcp.destroy()
  }

  /**
   * Ends both directions at once by RST. Under TLS too only the TCP socket is told, and takes the rest with it: to destroy
   * both from within a callback of the handshake crashes Node 24. A socket that waits to send its end cannot be reset, and
   * Node would forget to close it; whoever reads has all by then.
   */
  reset(): void {
    this.#events = undefined
    const tcp = this.#tcp
    const ending = tcp.writableEnded && !tcp.writableFinished
    if (tcp.connecting || ending) tcp.destroy()
    else tcp.resetAndDestroy()
  }

  /**
   * Ends TLS by close_notify and FIN, and goes on taking what comes until the peer has ended too. A TLS 1.3 server sends
   * session tickets whenever it likes; one that met a closed socket would be answered by a reset, and that could cost the
   * server what it had not yet read of ours.
   */
  #linger(stream: NodeSocket): void {
    const timer = setTimeout(() => stream.destroy(), LINGER_MS)
    stream.once('close', () => clearTimeout(timer))
    stream.once('end', () => stream.destroy())
    stream.end()
    stream.resume()
  }

  #secure(options: ConnectionOptions): void {
    try {
      this.#stream = secureStream(this.#tcp, { ...options, ...UNBUFFERED }).pause()
    } catch (cause) {
      this.#tcp.destroy(cause as Error)
      return
    }
    this.#stream.on('error', this.#break)
    this.#stream.on('close', this.#break)
    this.#follow('secureConnect')
  }

  #follow(openEvent: string): void {
    const stream = this.#stream
    stream.on(openEvent, () => {
      this.#open = true
      this.#events?.wireOpened()
    })
    stream.on('data', (chunk: Uint8Array) => this.#events?.wireReceived(chunk))
    stream.on('end', () => {
      // An end within the handshake is a failure, and Node will say so.
      if (this.#open) this.#events?.wireEnded()
    })
  }

  /** The first of a failure's events counts; of TLS and TCP it is whichever has the reason. */
  readonly #break = (cause?: unknown): void => {
    const events = this.#events
    if (events === undefined) return
    this.#events = undefined
    const error = cause instanceof Error ? cause : resetError()
    if (this.#open) events.wireLost(error)
    else events.wireFailed(error)
  }
}

/** For a connection that closes without Node saying why. */
function resetError(): Error {
  return Object.assign(new Error('the connection closed'), { code: 'ECONNRESET' })
}
