/**
 * The Socket of both `connect()` functions. The native one cannot be handed out as it is: over a proxy it says the same
 * sentence of every failure, reports as remote address the authority that carries our capability, and cannot do TLS.
 */
import type { Connection, OpenedInfo } from './connection.ts'
import type { SecureTransport } from './socket-options.ts'

const FROM_HERE: unique symbol = Symbol('made by connect()')

/** Sockets are made by `connect()` alone: `new sock.constructor()` must fail (S-003). */
function checkMaker(maker: typeof FROM_HERE): void {
  if (maker !== FROM_HERE) throw new TypeError('Illegal constructor')
}

/**
 * S-007: makes objects that `structuredClone()` and messages refuse, as they refuse the native socket. V8 would copy an
 * ordinary object, private fields left out, but has no form for the inner kind of this one; nothing else shows of it.
 */
function Uncloneable(): unknown {
  return Reflect.construct(DisposableStack, [], new.target as never)
}
// The native prototype has no other above it either (S-003).
Uncloneable.prototype = Object.prototype

/** Hands out the native streams untouched, so that no byte passes through JavaScript. */
class TunnelSocket extends (Uncloneable as unknown as new () => object) {
  readonly #connection: Connection

  constructor(maker: typeof FROM_HERE, connection: Connection) {
    checkMaker(maker)
    super()
    this.#connection = connection
  }

  /** The native byte stream (S-070 to S-080). */
  get readable(): ReadableStream {
    return this.#connection.readable
  }

  /** The native stream; closing it half-closes the connection (S-085 to S-094). */
  get writable(): WritableStream {
    return this.#connection.writable
  }

  /** Resolves at the end, after a reset too (S-110); rejects when the connection was never opened. */
  get closed(): Promise<void> {
    return this.#connection.closed
  }

  /** Resolves once the target has answered, with TLS after the handshake; rejects with the reason why it did not. */
  get opened(): Promise<OpenedInfo> {
    return this.#connection.opened
  }

  /** Whether `startTls()` has put another socket in the place of this one. */
  get upgraded(): boolean {
    return this.#connection.upgraded
  }

  get secureTransport(): SecureTransport {
    return this.#connection.secureTransport
  }

  /** S-130 to S-137. */
  close(): Promise<void> {
    return this.#connection.close()
  }

  /**
   * S-160 to S-172. Takes `{ expectedServerHostname }`.
   *
   * @throws {TypeError} at once, when this socket can never be upgraded; failures of the handshake reject
   */
  startTls(...[options]: [options?: unknown]): TunnelSocket {
    // A rest parameter, for natively the method has a `length` of 0 (S-004).
    return new TunnelSocket(FROM_HERE, this.#connection.startTls(options))
  }

  get [Symbol.toStringTag](): string {
    return 'Socket'
  }
}

// No own properties, and a prototype as the native one has it, for code that copies or prints sockets.
// S-004: the getters and methods are enumerable, which class syntax does not make them.
for (const name of ['readable', 'writable', 'closed', 'opened', 'upgraded', 'secureTransport', 'close', 'startTls']) {
  Object.defineProperty(TunnelSocket.prototype, name, { enumerable: true })
}

/**
 * A socket that is also a promise of itself: usable at once, and `await` gives the plain socket once it has opened,
 * or throws the reason why it did not.
 */
class OpeningSocket extends TunnelSocket {
  readonly #opened: Promise<OpenedInfo>
  readonly #plain: TunnelSocket

  constructor(maker: typeof FROM_HERE, connection: Connection) {
    super(maker, connection)
    this.#opened = connection.opened
    this.#plain = new TunnelSocket(maker, connection)
  }

  // oxlint-disable-next-line unicorn/no-thenable -- being awaitable is what this class is for; it settles with a plain one
  then<A, B>(
    onFulfilled?: ((socket: TunnelSocket) => A) | null,
    onRejected?: ((reason: unknown) => B) | null,
  ): Promise<Awaited<A> | Awaited<B>> {
    return this.#opened.then(() => this.#plain).then(onFulfilled, onRejected) as Promise<Awaited<A> | Awaited<B>>
  }
}

/** As the `connect()` of `cloudflare:sockets` returns it: not thenable (S-006). */
export function plainSocket(connection: Connection): TunnelSocket {
  return new TunnelSocket(FROM_HERE, connection)
}

/** As the `connect()` of a VPC binding returns it. */
export function awaitableSocket(connection: Connection): OpeningSocket {
  return new OpeningSocket(FROM_HERE, connection)
}
export type { OpeningSocket, TunnelSocket }
