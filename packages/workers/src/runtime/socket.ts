/**
 * The Socket of both `connect()` functions, made of a native one. That one cannot be handed out as it is: over a proxy it
 * says the same sentence of every failure, and reports as remote address the authority that carries our capability.
 */
import type { Destination } from './address.ts'
import type { Dialing, FlowFailure } from './doors.ts'
import type { ConnectOptions } from './socket-options.ts'

/** What `opened` gives: plain, with `localAddress` present and undefined, as it is natively (S-051). */
export interface OpenedInfo {
  readonly remoteAddress: string
  readonly localAddress: undefined
}

/** One connection as seen from outside: the native streams, and promises that say what the native ones cannot. */
export interface Connection {
  readonly native: Socket
  readonly opened: Promise<OpenedInfo>
  readonly closed: Promise<void>
  readonly secureTransport: ConnectOptions['secureTransport']
}

/** Makes the error for a failed connection; called twice, for two promises never share one (S-060). */
export type FailureToError = (failure: FlowFailure) => Error

/** Ignoring `opened` and `closed` of a failed connection must not be an unhandled rejection (S-054). */
function markHandled(promise: Promise<unknown>): void {
  promise.catch(() => {})
}

/**
 * Follows a native socket from `connect()` to its end. Until it has opened, a failure is explained by the edge before
 * `closed` and then `opened` reject (S-060); afterwards `closed` is the native one.
 */
export function follow(
  dialing: Dialing,
  destination: Destination,
  secureTransport: ConnectOptions['secureTransport'],
  toError: FailureToError,
): Connection {
  const { native, explain } = dialing
  const opened = Promise.withResolvers<OpenedInfo>()
  const closed = Promise.withResolvers<void>()
  markHandled(opened.promise)
  markHandled(closed.promise)
  let opening = true
  let early: { readonly reason: unknown } | undefined
  // Two reactions a connection are all that a call that succeeds pays for this.
  native.opened.then(
    () => {
      opening = false
      opened.resolve({ remoteAddress: destination.text, localAddress: undefined })
      if (early !== undefined) closed.reject(early.reason)
    },
    async () => {
      // The native reason is always the same; the edge knows which of its steps said no, and why.
      const failure = await explain()
      closed.reject(toError(failure))
      opened.reject(toError(failure))
    },
  )
  native.closed.then(closed.resolve, (reason: unknown) => {
    // Natively `closed` rejects before `opened`, so at this point it is not known which of the two cases this is.
    if (opening) early = { reason }
    else closed.reject(reason)
  })
  return { native, opened: opened.promise, closed: closed.promise, secureTransport }
}

const FROM_HERE: unique symbol = Symbol('made by connect()')

/** Sockets are made by `connect()` alone: `new sock.constructor()` must fail (S-003). */
function checkMaker(maker: typeof FROM_HERE): void {
  if (maker !== FROM_HERE) throw new TypeError('Illegal constructor')
}

/**
 * The Socket that user code sees: hands out the native streams untouched, so that no byte passes through JavaScript, and
 * adds what the native one cannot do over a proxy.
 */
class TunnelSocket {
  readonly #connection: Connection

  constructor(maker: typeof FROM_HERE, connection: Connection) {
    checkMaker(maker)
    this.#connection = connection
  }

  /** The native byte stream (S-070 to S-080). */
  get readable(): ReadableStream {
    return this.#connection.native.readable
  }

  /** The native stream; closing it half-closes the connection (S-085 to S-094). */
  get writable(): WritableStream {
    return this.#connection.native.writable
  }

  /** Resolves at the end, after a reset too (S-110); rejects when the connection was never opened. */
  get closed(): Promise<void> {
    return this.#connection.closed
  }

  /** Resolves once the target has answered, rejects with the reason why it did not. */
  get opened(): Promise<OpenedInfo> {
    return this.#connection.opened
  }

  get upgraded(): boolean {
    // Drivers and `node:tls` read it (S-008); nothing is upgraded before startTls() exists.
    return false
  }

  get secureTransport(): ConnectOptions['secureTransport'] {
    return this.#connection.secureTransport
  }

  /** S-130 to S-137: the native one, which flushes what was written, waits for it, and then lets the connection go. */
  close(): Promise<void> {
    return this.#connection.native.close()
  }

  /** S-160: the native complaint of a socket that was not opened for it, and else what is missing here. */
  startTls(): never {
    if (this.#connection.secureTransport !== 'starttls') {
      throw new TypeError("The `secureTransport` socket option must be set to 'starttls' for startTls to be used.")
    }
    throw new Error('startTls() is not available yet: Hawser opens plain TCP connections only.')
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
