import { markAsUncloneable } from 'node:worker_threads'
import { Connection } from './connection.ts'
import type { ConnectionPlan, SocketInfo } from './connection.ts'
import { readTlsOptions } from './options.ts'
import type { SecureTransport, TlsOptions } from './options.ts'

/** Only this module can make sockets (S-003). */
const KEY = Symbol('Socket')

let wrap: (connection: Connection) => Socket
let wrapAwaitable: (connection: Connection) => AwaitableSocket

/** Starts to connect by a checked plan; returns before anything is sent (S-050). */
export function openSocket(plan: ConnectionPlan): Socket {
  return wrap(Connection.dial(plan))
}

/** The same, as a socket that can be awaited. */
export function openAwaitableSocket(plan: ConnectionPlan): AwaitableSocket {
  return wrapAwaitable(Connection.dial(plan))
}

/**
 * A TCP connection, or TLS over one, as Workers know it. Made by `connect()`.
 *
 * A socket that is no longer needed has to be closed: nothing else closes it while the peer keeps it open.
 */
export class Socket {
  readonly #connection: Connection

  /** @throws {TypeError} always, unless called by `connect()` */
  protected constructor(...[key, connection]: unknown[]) {
    if (key !== KEY) throw new TypeError('Illegal constructor')
    this.#connection = connection as Connection
    markAsUncloneable(this)
  }

  static {
    wrap = (connection) => new Socket(KEY, connection)
  }

  /** What the peer sends: a byte stream for default and BYOB readers, one read at a time. */
  get readable(): ReadableStream<Uint8Array> {
    return this.#connection.readable as ReadableStream<Uint8Array>
  }

  /** What goes to the peer: views, buffers and text (as UTF-8). A write settles when its bytes are with the kernel. */
  get writable(): WritableStream<Uint8Array | string> {
    return this.#connection.writable as WritableStream<Uint8Array | string>
  }

  /**
   * Resolves when the socket is closed: by `close()`, by a `startTls()`, by the peer's end or the loss of the connection
   * once that was read. Rejects if it could not be opened, with the same text as `opened`, or if `writable` was aborted.
   */
  get closed(): Promise<void> {
    return this.#connection.closed.promise
  }

  /** Resolves when the connection is up, TLS handshake included; rejects with workerd's text, `code` and `cause`. */
  get opened(): Promise<SocketInfo> {
    return this.#connection.opened.promise
  }

  /** True once `startTls()` has taken the connection into another socket. */
  get upgraded(): boolean {
    return this.#connection.upgraded
  }

  /** As asked for in the options; `on` for a socket made by `startTls()`. */
  get secureTransport(): SecureTransport {
    return this.#connection.plan.secureTransport
  }

  /**
   * Waits for the connection to open and for every write to leave, then ends it. Resolves even if the connection failed.
   * It waits for as long as the peer lets it: `abort()` of the writer, or the `signal` of the options, cuts that short.
   */
  close(): Promise<void> {
    return this.#connection.close()
  }

  /**
   * Turns the connection into TLS and returns the socket for it; this one is finished. Release reader and writer first.
   * Everything written before is sent in clear; bytes of the peer that were not read end the connection (S-167).
   * @throws {TypeError} unless `secureTransport` is `starttls`, the socket is not closed, and it is the first call
   */
  startTls(options?: TlsOptions): Socket
  startTls(...[options]: unknown[]): Socket {
    return wrap(this.#connection.startTls(readTlsOptions(options)))
  }
}

/**
 * A socket that is also a promise of itself: usable at once, and `await` gives the plain socket once it has opened, or
 * throws the reason why it did not.
 */
export class AwaitableSocket extends Socket {
  readonly #plain: Socket

  /** @throws {TypeError} always, unless called by `connect()` */
  protected constructor(...[key, connection]: unknown[]) {
    super(key, connection)
    this.#plain = wrap(connection as Connection)
  }

  static {
    wrapAwaitable = (connection) => new AwaitableSocket(KEY, connection)
  }

  // oxlint-disable-next-line unicorn/no-thenable -- being one is what the class is for
  then<Result = Socket, Failure = never>(
    onOpened?: ((socket: Socket) => Result | PromiseLike<Result>) | null,
    onFailed?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    return this.opened.then(() => this.#plain).then(onOpened, onFailed)
  }
}

// As workerd has it (S-004): the getters and methods show up in a loop over the prototype.
for (const name of ['readable', 'writable', 'closed', 'opened', 'upgraded', 'secureTransport', 'close', 'startTls']) {
  Object.defineProperty(Socket.prototype, name, { enumerable: true })
}
Object.defineProperty(Socket.prototype, Symbol.toStringTag, { value: 'Socket', writable: true, configurable: true })
