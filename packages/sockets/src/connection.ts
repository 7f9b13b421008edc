import { ReadableStream, WritableStream } from 'node:stream/web'
import type { Target } from './address.ts'
import { Deferred, ignore } from './deferred.ts'
import { Limits } from './limits.ts'
import type { Limited } from './limits.ts'
import { asError, lostError, TEXT } from './messages.ts'
import type { Config, SecureTransport } from './options.ts'
import { SocketReadable } from './readable.ts'
import { Receiver } from './receiver.ts'
import type { ReceiverEvents } from './receiver.ts'
import { Sender } from './sender.ts'
import type { SenderEvents } from './sender.ts'
import type { Carrier, Route } from './route.ts'
import type { WireEvents } from './wire.ts'
import { SocketWritable } from './writable.ts'

/** What `opened` resolves with. */
export interface SocketInfo {
  /** The address as it was asked for: `host:port`, neither resolved nor normalised (S-051). */
  remoteAddress: string
  /** Always undefined for a socket that was dialled, as in Workers. */
  localAddress: string | undefined
}

/** What a connection needs to know from the start. */
export interface ConnectionPlan {
  readonly target: Target
  readonly config: Config
  readonly secureTransport: SecureTransport
  readonly route: Route
}

interface Heir {
  readonly connection: Connection
  readonly expectedName: string | undefined
}

/**
 * What a `Socket` is behind its surface: the wire below, the two halves, and the promises about the whole. `opening` ends in
 * `open` or `over`; `over` means that nothing can happen on the wire any more, or that it belongs to another connection.
 */
export class Connection implements WireEvents, ReceiverEvents, SenderEvents, Limited {
  readonly plan: ConnectionPlan
  readonly opened: Deferred<SocketInfo> = new Deferred()
  readonly closed: Deferred<void> = new Deferred()
  readonly readable: SocketReadable
  readonly writable: SocketWritable
  /** The connection lives on as TLS in another socket (S-163). */
  upgraded = false
  readonly #receiver: Receiver
  readonly #sender: Sender
  readonly #limits: Limits | undefined
  #wire: Carrier | undefined
  #phase: 'opening' | 'open' | 'over' = 'opening'
  #closing = false
  /** Made by `startTls()`: its failures are told differently (S-170). */
  readonly #isUpgrade: boolean
  /** `startTls()` was called here; tells whether the wire was given away. */
  #upgrade: Promise<boolean> | undefined
  /** The connection that gets the wire once it is open. */
  #heir: Heir | undefined

  private constructor(plan: ConnectionPlan, isUpgrade: boolean) {
    this.plan = plan
    this.#isUpgrade = isUpgrade
    this.#receiver = new Receiver(this)
    this.#sender = new Sender(plan.config.highWaterMark, this)
    this.readable = new SocketReadable(this.#receiver)
    this.writable = new SocketWritable(this.#sender)
    this.#limits = Limits.of(plan.config, this, (timeoutMs) => plan.route.timeout(timeoutMs))
  }

  /** Starts to connect. Failures of every kind show in `opened` and `closed` only (S-050). */
  static dial(plan: ConnectionPlan): Connection {
    const connection = new Connection(plan, false)
    if (plan.config.signal?.aborted !== true) connection.#dial()
    return connection
  }

  /** S-130 to S-138. */
  close(): Promise<void> {
    const done = this.#closing ? this.closed.promise.then(ignore) : this.#close()
    done.catch(ignore)
    return done
  }

  /** Gives the connection up at once, whatever is under way, with a reset for the peer. */
  abort(reason: unknown): void {
    if (this.#phase === 'over') return
    this.#phase = 'over'
    this.#wire?.reset()
    this.closed.reject(reason)
    this.opened.reject(reason)
    this.#receiver.fail(asError(reason))
    this.#sender.abort(reason)
    this.#limits?.lift()
  }

  /**
   * Moves the wire into a new connection, as TLS, as soon as it is open and everything queued has left (S-162).
   * @throws {TypeError} S-160, the four conditions in their order
   */
  startTls(expectedName: string | undefined): Connection {
    const { secureTransport } = this.plan
    if (secureTransport === 'on') throw new TypeError(TEXT.tlsAlready)
    if (this.upgraded || (this.#phase === 'over' && this.#closing)) throw new TypeError(TEXT.tlsTooLate)
    if (secureTransport !== 'starttls') throw new TypeError(TEXT.tlsNotAsked)
    if (this.#upgrade !== undefined) throw new TypeError(TEXT.tlsTwice)
    const connection = new Connection({ ...this.plan, secureTransport: 'on' }, true)
    this.#upgrade = this.#giveTo(connection, expectedName)
    return connection
  }

  wireOpened(): void {
    if (this.#phase !== 'opening' || this.#wire === undefined) return
    this.#phase = 'open'
    this.#limits?.opened()
    this.opened.resolve({ remoteAddress: this.plan.target.text, localAddress: undefined })
    if (this.#heir !== undefined) return this.#handOver(this.#wire, this.#heir)
    this.#receiver.attach(this.#wire.stream)
    this.#sender.attach(this.#wire.stream)
  }

  wireFailed(cause: unknown): void {
    if (this.#phase !== 'opening') return
    this.#phase = 'over'
    this.#limits?.lift()
    if (this.#isUpgrade) return this.#failUpgrade(cause)
    const { route, target } = this.plan
    this.closed.reject(route.failure(target, cause))
    this.opened.reject(route.failure(target, cause))
    this.#receiver.cancel(undefined)
    this.#sender.failToOpen(route.writeFailure(target, cause))
  }

  wireReceived(chunk: Uint8Array): void {
    this.#receiver.receive(chunk)
  }

  wireEnded(): void {
    this.#receiver.finish('end')
  }

  wireLost(cause: Error): void {
    const error = lostError(cause)
    this.#sender.lose(error)
    this.#receiver.finish(error)
  }

  /** S-100: the end of the peer is the end of both, unless half-open was asked for. */
  endWasRead(): void {
    if (this.plan.config.allowHalfOpen) return
    this.#sender.endAfterPeer().then(
      () => this.#resolveClosed(),
      (reason: unknown) => {
        this.closed.reject(reason)
        this.#limits?.lift()
      },
    )
  }

  lossWasRead(): void {
    this.#resolveClosed()
  }

  lossWasMet(error: Error): void {
    this.#receiver.lostByWrite(error)
    this.#resolveClosed()
  }

  #resolveClosed(): void {
    this.closed.resolve(undefined)
    this.#limits?.lift()
  }

  #dial(): void {
    const { target, secureTransport, route } = this.plan
    this.#wire = route.dial(target, secureTransport, this)
  }

  async #close(): Promise<void> {
    this.#closing = true
    this.#receiver.refuse()
    this.#sender.refuse()
    if (!this.opened.settled) await this.opened.promise.catch(ignore)
    await this.#sender.flushed()
    if (this.#upgrade !== undefined && (await this.#upgrade)) return
    const failure = this.#sender.state === 'errored' ? { reason: this.#sender.error } : undefined
    const unread = this.#receiver.unread === 'bytes'
    this.#phase = 'over'
    this.#limits?.lift()
    this.#receiver.shut()
    this.#sender.shut()
    this.#wire?.destroy(unread)
    if (failure === undefined) this.closed.resolve(undefined)
    else this.closed.reject(asError(failure.reason))
  }

  /** Settles with whether the wire is given away, or will be when it is open. */
  async #giveTo(connection: Connection, expectedName: string | undefined): Promise<boolean> {
    try {
      if (this.writable.locked) throw new TypeError(TEXT.writableLocked)
      await this.#sender.flushed()
      if (this.#sender.state === 'errored') throw this.#sender.error
      if (this.#sender.state !== 'open') throw new TypeError(TEXT.writableClosed)
      if (this.readable.locked) throw new TypeError(TEXT.readableLockedForTls)
    } catch (error) {
      connection.#refuseUpgrade(error)
      return false
    }
    // A reader and a writer of Node's own hold the streams from here on, so that nothing else ever can (S-165).
    ReadableStream.prototype.getReader.call(this.readable)
    WritableStream.prototype.getWriter.call(this.writable)
    this.upgraded = true
    this.closed.resolve(undefined)
    this.#heir = { connection, expectedName }
    if (this.#phase === 'open' && this.#wire !== undefined) this.#handOver(this.#wire, this.#heir)
    return true
  }

  #handOver(wire: Carrier, { connection, expectedName }: Heir): void {
    this.#phase = 'over'
    this.#limits?.lift()
    this.#wire = undefined
    const { unread } = this.#receiver
    this.#receiver.detach()
    this.#sender.detach()
    connection.#take(wire, unread, expectedName)
  }

  /**
   * Takes over a wire in clear and starts TLS on it. Bytes that came in clear and were not read would be taken for the
   * server's first words under TLS by whoever reads next; nothing can vouch for them, so they end the connection (S-167).
   */
  #take(wire: Carrier, unread: 'bytes' | 'end' | undefined, expectedName: string | undefined): void {
    if (this.#phase === 'over') {
      wire.release().destroy()
      return
    }
    if (unread !== undefined) {
      wire.release().destroy()
      this.wireFailed(unread === 'bytes' ? injected() : endedEarly())
      return
    }
    const { route, target } = this.plan
    this.#wire = route.upgrade(wire, target, expectedName, this)
  }

  /** The handshake failed (S-170). Each promise gets an error of its own, as on workerd. */
  #failUpgrade(cause: unknown): void {
    const { route } = this.plan
    this.opened.reject(route.upgradeFailure(cause))
    this.closed.reject(route.upgradeFailure(cause))
    this.#receiver.fail(route.upgradeFailure(cause))
    this.#sender.abort(route.upgradeFailure(cause))
  }

  /** The old socket kept the wire (S-166): `opened` stays pending, as on workerd. */
  #refuseUpgrade(error: unknown): void {
    this.#phase = 'over'
    this.#limits?.lift()
    this.closed.reject(error)
    this.#receiver.fail(asError(error))
    this.#sender.abort(error)
  }
}

function injected(): Error {
  return coded('ERR_STARTTLS_INJECTION', 'the peer sent bytes in clear before the TLS handshake that were not read')
}

function endedEarly(): Error {
  return coded('ECONNRESET', 'the peer ended the connection before the TLS handshake')
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
