import type { Dialed, Dialer, DialTarget, HawserError } from '@hawser/core'
import { DrainLimit } from './drain-limit.ts'
import type { Registration, ConnectorInfo } from './register.ts'
import type { MuxSession } from './session.ts'
import { dialThrough } from './tunnel-dialer.ts'

/** One registered connection of a connector, as the edge sees it: a way to dial what the connector reaches. */
export interface ConnectorConnection extends Dialer, AsyncDisposable {
  /** Of this connection; a connector may have several. */
  readonly id: string
  readonly tunnelId: string
  readonly connector: ConnectorInfo
  /** `ip:port` the connector came from. */
  readonly remoteAddress: string
  /** Milliseconds since the epoch. */
  readonly openedAt: number
  /** Streams that this edge has open on it. */
  readonly activeStreams: number
  /** Settles once with the error that ended the connection, or undefined after an agreed end. */
  readonly closed: Promise<HawserError | undefined>
  /** Opens no more streams, waits for those that are open, and ends. */
  drain(): Promise<void>
  /** As `drain`, for at most `graceMs`. @default 30_000 */
  close(graceMs?: number): Promise<void>
  abort(reason: HawserError): void
}

const GRACE_MS = 30_000

export class EdgeSide implements ConnectorConnection {
  readonly id: string
  readonly tunnelId: string
  readonly connector: ConnectorInfo
  readonly remoteAddress: string
  readonly openedAt: number = Date.now()
  readonly closed: Promise<HawserError | undefined>
  readonly #session: MuxSession
  readonly #ending: DrainLimit

  constructor(session: MuxSession, registration: Registration, id: string, remoteAddress: string) {
    this.#session = session
    this.id = id
    this.tunnelId = registration.tunnelId
    this.connector = registration.connector
    this.remoteAddress = remoteAddress
    this.closed = session.closed
    this.#ending = new DrainLimit(session, () => session.whenIdle())
  }

  get activeStreams(): number {
    return this.#session.outboundCount
  }

  dial(target: DialTarget, signal: AbortSignal): Promise<Dialed> {
    return dialThrough(this.#session, this.connector.id, target, signal)
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

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
