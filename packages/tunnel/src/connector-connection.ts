import type { Dialed, Dialer, DialTarget, HawserError, StopSignal } from '@hawser/core'
import { configureRequest } from './announcements.ts'
import type { Configuration, ConnectorReport, TargetHealth } from './announcements.ts'
import type { ControlStream } from './control-stream.ts'
import { DrainLimit } from './drain-limit.ts'
import { GoAwayCode } from './frame.ts'
import type { Registration, ConnectorInfo } from './register.ts'
import type { MuxSession } from './session.ts'
import { dialThrough } from './tunnel-dialer.ts'

/** One registered connection of a connector, as the edge sees it: a way to dial what the connector reaches. */
export interface ConnectorConnection extends Dialer, AsyncDisposable {
  /** Of this connection; a connector may have several. */
  readonly id: string
  readonly tunnelId: string
  readonly connector: ConnectorInfo
  /** 0 to 100, as the connector registered it. */
  readonly weight: number
  /** `ip:port` the connector came from. */
  readonly remoteAddress: string
  /** Milliseconds since the epoch. */
  readonly openedAt: number
  /** Streams that this edge has open on it. */
  readonly activeStreams: number
  /** Smoothed, in milliseconds; infinite before the first answer to a ping. */
  readonly roundTripMs: number
  /** Whether it takes new streams: not once either side drains it, nor once it has ended. */
  readonly accepting: boolean
  /** Nothing has come since {@link answers} found it silent. It may be dead; the keepalive will tell. */
  readonly silent: boolean
  /** What the connector said last of how things stand; undefined before it has. */
  readonly report: ConnectorReport | undefined
  /** Targets of that report which the connector cannot reach. */
  readonly failing: readonly TargetHealth[]
  /** Settles once with the error that ended the connection, or undefined after an agreed end. */
  readonly closed: Promise<HawserError | undefined>
  /** Asks for a sign of life, for callers that have waited suspiciously long. False where none comes within 750 ms. */
  answers(): Promise<boolean>
  /** Tells the connector what to do; a version that it has already changes nothing. */
  configure(configuration: Configuration): void
  /** Tells the connector to look for another edge. Streams may be opened until the connection is drained or ends. */
  leave(): void
  /** Opens no more streams, waits for those that are open, and ends. */
  drain(): Promise<void>
  /** As `drain`, for at most `graceMs`. @default 30_000 */
  close(graceMs?: number): Promise<void>
  abort(reason: HawserError): void
  /** As `abort`, because somebody wants it so: the connector is told that, and comes back if its token is good. */
  disconnect(reason: HawserError): void
}

const NONE: readonly TargetHealth[] = []
const GRACE_MS = 30_000
/** Longer than the round trip of any network that a flow could bear. */
const ANSWER_MS = 750

export class EdgeSide implements ConnectorConnection {
  readonly id: string
  readonly tunnelId: string
  readonly connector: ConnectorInfo
  readonly weight: number
  readonly remoteAddress: string
  readonly openedAt: number = Date.now()
  failing: readonly TargetHealth[] = NONE
  /** Set as soon as the registration has been answered. */
  control: ControlStream | undefined
  readonly closed: Promise<HawserError | undefined>
  readonly #session: MuxSession
  readonly #ending: DrainLimit
  #report: ConnectorReport | undefined
  #configured = 0
  /** Bytes that had come when the peer was found silent. */
  #silentAt = -1
  #asking: Promise<boolean> | undefined

  constructor(session: MuxSession, registration: Registration, id: string, remoteAddress: string) {
    this.#session = session
    this.id = id
    this.tunnelId = registration.tunnelId
    this.connector = registration.connector
    this.weight = registration.weight
    this.remoteAddress = remoteAddress
    this.closed = session.closed
    this.#ending = new DrainLimit(session, () => session.whenIdle())
  }

  get activeStreams(): number {
    return this.#session.outboundCount
  }

  get roundTripMs(): number {
    return this.#session.pool.roundTripMs || Infinity
  }

  get accepting(): boolean {
    return this.#session.acceptsStreams
  }

  get silent(): boolean {
    return this.#silentAt === this.#session.bytesReceived
  }

  dial(target: DialTarget, signal: StopSignal): Promise<Dialed> {
    return dialThrough(this.#session, this.connector.id, target, signal)
  }

  /** Any byte is a sign of life: the answer itself may queue behind a long transfer. One question at a time. */
  answers(): Promise<boolean> {
    return (this.#asking ??= this.#ask().finally(() => (this.#asking = undefined)))
  }

  get report(): ConnectorReport | undefined {
    return this.#report
  }

  set report(report: ConnectorReport) {
    this.#report = report
    const failing = report.targets.filter(({ healthy }) => !healthy)
    this.failing = failing.length === 0 ? NONE : failing
  }

  configure(configuration: Configuration): void {
    if (configuration.version <= this.#configured) return // read before the one that has been told since
    this.#configured = configuration.version
    this.control?.announce(configureRequest(configuration))
  }

  leave(): void {
    if (this.accepting) this.#session.sender.goAway(GoAwayCode.Normal)
  }

  drain(): Promise<void> {
    return this.#ending.drain()
  }

  close(graceMs: number = GRACE_MS): Promise<void> {
    return this.#ending.close(graceMs)
  }

  abort(reason: HawserError): void {
    this.#session.abort(reason)
  }

  disconnect(reason: HawserError): void {
    this.#session.abort(reason, GoAwayCode.Disconnected)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #ask(): Promise<boolean> {
    const before = this.#session.bytesReceived
    const late = Promise.withResolvers<void>()
    const timer = setTimeout(late.resolve, ANSWER_MS)
    const answered = this.#session.ping().then(ignore, ignore)
    await Promise.race([answered, late.promise])
    clearTimeout(timer)
    // A timer that is late because this process stood still says nothing: first read what has arrived.
    await new Promise((resolve) => setImmediate(resolve))
    if (this.#session.bytesReceived > before) return true
    this.#silentAt = before
    return false
  }
}

function ignore(): void {}
