import { connect as connectTcp } from 'node:net'
import type { Socket as NodeSocket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'

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
  /** What carries the bytes. */
  readonly stream: NodeSocket
  #events: WireEvents | undefined
  #open = false

  private constructor(tcp: NodeSocket, stream: NodeSocket, openEvent: string, events: WireEvents) {
    this.#tcp = tcp
    this.stream = stream
    this.#events = events
    stream.on(openEvent, () => {
      this.#open = true
      this.#events?.wireOpened()
    })
    stream.on('data', (chunk: Uint8Array) => this.#events?.wireReceived(chunk))
    stream.on('end', () => this.#events?.wireEnded())
    stream.on('error', (error) => this.#break(error))
    stream.on('close', () => this.#break(undefined))
  }

  /** Dials, and starts TLS at once where options for it are given. @throws what Node throws for options it does not take */
  static dial(host: string, port: number, tls: ConnectionOptions | undefined, events: WireEvents): Wire {
    const tcp = connectTcp({ host, port, allowHalfOpen: true, noDelay: true }).pause()
    if (tls === undefined) return new Wire(tcp, tcp, 'connect', events)
    tcp.on('error', () => {}) // TLS reports it
    return Wire.upgrade(tcp, tls, events)
  }

  /** Starts TLS over `tcp`. */
  static upgrade(tcp: NodeSocket, tls: ConnectionOptions, events: WireEvents): Wire {
    return new Wire(tcp, connectTls({ ...tls, socket: tcp }).pause(), 'secureConnect', events)
  }

  /** Gives the TCP connection away: no event comes from here any more. */
  release(): NodeSocket {
    this.#events = undefined
    this.#tcp.removeAllListeners('data')
    this.#tcp.removeAllListeners('end')
    return this.#tcp
  }

  /**
   * Ends both directions at once, by FIN (under TLS behind a close_notify); by RST if `unread` says that bytes came which
   * nobody read, so that the peer does not take them for delivered (S-138).
   */
  destroy(unread: boolean): void {
    this.#events = undefined
    if (unread) return this.reset()
    if (this.stream !== this.#tcp) this.stream.end()
    this.stream.destroy()
  }

  /** Ends both directions at once by RST. */
  reset(): void {
    this.#events = undefined
    if (this.#tcp.connecting) this.#tcp.destroy()
    else this.#tcp.resetAndDestroy()
    this.stream.destroy()
  }

  #break(cause: Error | undefined): void {
    const events = this.#events
    if (events === undefined) return
    this.#events = undefined
    if (this.#open) events.wireLost(cause ?? resetError())
    else events.wireFailed(cause ?? resetError())
  }
}

/** For a connection that closes without Node saying why. */
function resetError(): Error {
  return Object.assign(new Error('the connection closed'), { code: 'ECONNRESET' })
}
