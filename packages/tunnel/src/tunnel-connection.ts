import type { HawserError } from '@hawser/core'
import { reportRequest } from './announcements.ts'
import type { ConnectorReport } from './announcements.ts'
import type { ControlStream } from './control-stream.ts'
import { DrainLimit } from './drain-limit.ts'
import type { DialServer } from './serve-dials.ts'
import type { MuxSession } from './session.ts'

/** One connection of a connector to an edge, registered and serving. */
export interface TunnelConnection extends AsyncDisposable {
  readonly edgeId: string
  readonly activeStreams: number
  /** Resolves when the edge says that it is about to go; until it does, it may still open streams. */
  readonly leaving: Promise<void>
  /** Settles once with the error that ended the connection, or undefined after an agreed end. */
  readonly closed: Promise<HawserError | undefined>
  /** Tells the edge how things stand. */
  report(report: ConnectorReport): void
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
  readonly leaving: Promise<void>
  readonly #session: MuxSession
  readonly #dials: DialServer
  readonly #control: ControlStream
  readonly #ending: DrainLimit

  constructor(session: MuxSession, dials: DialServer, edgeId: string, control: ControlStream, leaving: Promise<void>) {
    this.#session = session
    this.#dials = dials
    this.edgeId = edgeId
    this.#control = control
    this.leaving = leaving
    this.closed = session.closed
    this.#ending = new DrainLimit(session, () => dials.whenIdle())
  }

  get activeStreams(): number {
    return this.#dials.activeStreams
  }

  report(report: ConnectorReport): void {
    this.#control.announce(reportRequest(report))
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
