import type { HawserError } from '@hawser/core'
import { DrainLimit } from './drain-limit.ts'
import type { DialServer } from './serve-dials.ts'
import type { MuxSession } from './session.ts'

/** One connection of a connector to an edge, registered and serving. */
export interface TunnelConnection extends AsyncDisposable {
  readonly edgeId: string
  readonly activeStreams: number
  /** Settles once with the error that ended the connection, or undefined after an agreed end. */
  readonly closed: Promise<HawserError | undefined>
  /** Tells the edge to open no more streams, waits for those that are open, and ends. */
  drain(): Promise<void>
  /** As `drain`, for at most `graceMs`; what is open then fails. @default 30_000 */
  close(graceMs?: number): Promise<void>
  abort(reason: HawserError): void
}

const GRACE_MS = 30_000

/** See {@link TunnelConnection}. */
export class ConnectorSide implements TunnelConnection {
  readonly edgeId: string
  readonly closed: Promise<HawserError | undefined>
  readonly #session: MuxSession
  readonly #dials: DialServer
  readonly #ending: DrainLimit

  constructor(session: MuxSession, dials: DialServer, edgeId: string) {
    this.#session = session
    this.#dials = dials
    this.edgeId = edgeId
    this.closed = session.closed
    this.#ending = new DrainLimit(session, () => dials.whenIdle())
  }

  get activeStreams(): number {
    return this.#dials.activeStreams
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
