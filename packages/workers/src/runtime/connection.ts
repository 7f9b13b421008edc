/**
 * One connection through the edge, from `connect()` to its end: what lies behind a Socket. The streams are the native ones;
 * this adds the promises that the native socket cannot give over a proxy, and the upgrade to TLS.
 */
import workers from 'cloudflare-internal:workers'
import type { Destination } from './address.ts'
import { markHandled } from './dead-socket.ts'
import type { Doors, FlowFailure } from './doors.ts'
import { EdgeCall } from './edge-call.ts'
import type { Failures } from './failures.ts'
import { handOver, lockOf } from './hand-over.ts'
import type { FailedHandOver, HeldStreams } from './hand-over.ts'
import { parseTlsOptions } from './socket-options.ts'
import type { NativeOptions, SecureTransport } from './socket-options.ts'

/** What `opened` gives: plain, with `localAddress` present and undefined, as it is natively (S-051). */
export interface OpenedInfo {
  readonly remoteAddress: string
  readonly localAddress: undefined
}

/** What stays the same when a connection is upgraded. */
export interface ConnectionPlan {
  readonly doors: Doors
  readonly destination: Destination
  readonly options: NativeOptions
  readonly failures: Failures
}

type Upgrade = Promise<FailedHandOver | undefined>

const OPERATIONS = { off: 'c', on: 's', starttls: 'u' } as const satisfies Record<SecureTransport, string>

export class Connection {
  readonly secureTransport: SecureTransport
  readonly readable: ReadableStream
  readonly writable: WritableStream
  readonly #plan: ConnectionPlan
  readonly #call: EdgeCall
  readonly #opened: PromiseWithResolvers<OpenedInfo> = Promise.withResolvers()
  readonly #closed: PromiseWithResolvers<void> = Promise.withResolvers()
  /** Until it is open, or will never be. */
  #opening = true
  /** A native `closed` that rejected before it was known whether the connection was open. */
  #early: { readonly reason: unknown } | undefined
  #gone = false
  #upgraded = false
  #startedTls = false
  /** The connection that takes the place of this one, and when this one is done. */
  #successor: { readonly connection: Connection; readonly handedOver: Upgrade } | undefined

  private constructor(plan: ConnectionPlan, call: EdgeCall, secureTransport: SecureTransport) {
    this.secureTransport = secureTransport
    this.readable = call.native.readable
    this.writable = call.native.writable
    this.#plan = plan
    this.#call = call
    markHandled(this.#opened.promise)
    markHandled(this.#closed.promise)
  }

  /** Starts a connection; returns at once. */
  static open(plan: ConnectionPlan, secureTransport: SecureTransport): Connection {
    const call = EdgeCall.open(plan.doors, OPERATIONS[secureTransport], plan.destination, plan.options)
    const connection = new Connection(plan, call, secureTransport)
    connection.#follow()
    return connection
  }

  /** One that has failed before it was tried: `closed` rejects with `reason`, its streams fail, and so does `opened`. */
  static failed(plan: ConnectionPlan, secureTransport: SecureTransport, reason: unknown): Connection {
    const connection = Connection.#dead(plan, secureTransport, reason)
    connection.#opened.reject(reason)
    return connection
  }

  static #dead(plan: ConnectionPlan, secureTransport: SecureTransport, reason: unknown): Connection {
    const connection = new Connection(plan, EdgeCall.dead(plan.doors, reason), secureTransport)
    connection.#opening = false
    connection.#closed.reject(reason)
    return connection
  }

  get opened(): Promise<OpenedInfo> {
    return this.#opened.promise
  }

  get closed(): Promise<void> {
    return this.#closed.promise
  }

  get upgraded(): boolean {
    return this.#upgraded
  }

  /** S-130 to S-137: the native one, which flushes what was written, waits for it, and then lets the connection go. */
  close(): Promise<void> {
    const { native } = this.#call
    // An end of the stream in the middle of an upgrade would be the word to go ahead with it.
    const closing = this.#successor?.handedOver.then(() => native.close()) ?? native.close()
    closing.then(
      () => (this.#gone = true),
      () => {},
    )
    return closing
  }

  /** Calls back when it is over, and what took its place is too. */
  onEnd(callback: () => void): void {
    const next = (): void => {
      if (this.#successor === undefined) callback()
      else this.#successor.connection.onEnd(callback)
    }
    // oxlint-disable-next-line promise/no-callback-in-promise -- a promise would be one more for each connection
    this.#closed.promise.then(next, next)
  }

  /** Ends the connection both ways, now; `closed`, and `opened` if it has not settled, reject with `reason`. */
  abort(reason: unknown): void {
    if (this.#gone && this.#successor === undefined) return
    this.#gone = true
    this.#opening = false
    this.#closed.reject(reason)
    this.#opened.reject(reason)
    // Of an upgrade the edge is told once, and the old stream ends as a part of it.
    if (this.#successor !== undefined) return this.#successor.connection.abort(reason)
    const { native } = this.#call
    markHandled(native.readable.cancel(reason))
    markHandled(native.writable.abort(reason))
    // By way of the edge: the native socket may still be opening, its streams be in somebody's hands, and closing it from
    // this side would be an end and no abort.
    markHandled(this.#call.abandon().then(() => native.close()))
  }

  /**
   * S-160 to S-172: a connection that takes the place of this one, encrypted.
   *
   * @param held for callers that have locked the streams themselves, which is an error else (S-166)
   * @throws {TypeError} at once, for the preconditions of S-160 and an argument that is none (S-168)
   */
  startTls(options: unknown, held?: HeldStreams): Connection {
    const name = parseTlsOptions(options)
    this.#checkUpgrade()
    this.#startedTls = true
    const plan = this.#plan
    const locked = held === undefined ? lockOf(this.#call.native) : undefined
    if (locked !== undefined) return Connection.#dead(plan, 'on', locked)
    const { destination } = plan
    const call = this.#call.openUpgrade({ ...destination, host: name ?? destination.host }, plan.options)
    const connection = new Connection(plan, call, 'on')
    const handedOver = handOver(this.#call, call, held).then((failed) => {
      if (failed?.orphan !== true) this.#completeUpgrade()
      return failed
    })
    // Of an invocation that has answered with the new stream nothing runs on but native code, and this is none.
    workers.waitUntil(handedOver)
    this.#successor = { connection, handedOver }
    connection.#followUpgrade(handedOver)
    return connection
  }

  /** S-160, in the native order. */
  #checkUpgrade(): void {
    if (this.secureTransport === 'on') throw new TypeError('Cannot startTls on a TLS socket.')
    if (this.#gone) throw new TypeError('The connection was closed before startTls could be started.')
    if (this.secureTransport !== 'starttls') {
      throw new TypeError("The `secureTransport` socket option must be set to 'starttls' for startTls to be used.")
    }
    if (this.#startedTls) {
      throw new TypeError('startTls has already been called on this socket, or the socket was transferred over RPC.')
    }
  }

  /** S-163: before the handshake is over, and even if it then fails. */
  #completeUpgrade(): void {
    this.#upgraded = true
    this.#gone = true
    this.#closed.resolve()
  }

  #follow(): void {
    // Two reactions a connection are all that a call that succeeds pays for this.
    this.#call.native.opened.then(
      () => this.#open(),
      () => this.#fail(),
    )
    this.#followEnd()
  }

  #followUpgrade(handedOver: Upgrade): void {
    void handedOver.then((failed) => {
      if (failed?.orphan === true) this.#failAsOrphan(failed.failure)
      else if (failed !== undefined) void this.#failUpgrade(failed.failure)
    })
    this.#call.native.opened.then(
      async () => ((await handedOver) === undefined ? this.#open() : undefined),
      async () => ((await handedOver) === undefined ? this.#failUpgrade() : undefined),
    )
    this.#followEnd()
  }

  #followEnd(): void {
    this.#call.native.closed.then(
      () => this.#end(),
      (reason: unknown) => {
        // Natively `closed` rejects before `opened`, so at this point it is not known which of the two cases this is.
        if (this.#opening) this.#early = { reason }
        else this.#end({ reason })
      },
    )
  }

  #open(): void {
    if (!this.#opening) return
    this.#opening = false
    this.#opened.resolve({ remoteAddress: this.#plan.destination.text, localAddress: undefined })
    if (this.#early !== undefined) this.#end(this.#early)
  }

  #end(failure?: { readonly reason: unknown }): void {
    // The streams of a connection under upgrade end as a part of it, which is complete a moment later.
    if (this.#successor !== undefined) return
    this.#gone = true
    if (failure === undefined) this.#closed.resolve()
    else this.#closed.reject(failure.reason)
  }

  /** The native reason is always the same; the edge knows which of its steps said no, and why. */
  async #fail(): Promise<void> {
    if (this.#opening) this.#reject(await this.#call.explain(), 'opening')
  }

  async #failUpgrade(known?: FlowFailure): Promise<void> {
    if (this.#opening) this.#reject(known ?? (await this.#call.explain()), 'upgrading')
  }

  /** S-171. */
  #failAsOrphan(failure: FlowFailure): void {
    const { failures } = this.#plan
    if (failures.rejectOrphans) this.#reject(failure, 'opening')
    else this.#closed.reject(failures.opening(failure))
  }

  /** S-060: `closed` before `opened`, with an error each. */
  #reject(failure: FlowFailure, when: 'opening' | 'upgrading'): void {
    const { failures } = this.#plan
    this.#opening = false
    this.#closed.reject(failures[when](failure))
    this.#opened.reject(failures[when](failure))
  }
}
