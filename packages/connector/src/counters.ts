import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { HawserError, Histogram } from '@hawser/core'
import type { ErrorCode } from '@hawser/core'

/** Milliseconds; the bounds of the vendor's connector, whose histogram has the same meaning (V-169). */
const DIAL_BOUNDS_MS = [1, 10, 25, 50, 100, 500, 1000, 5000] as const

/**
 * Totals since a connector started: plain fields, read by whoever collects them. Bytes are added when a connection ends,
 * so that nothing is counted per chunk.
 */
export class ConnectorCounters {
  /** Connections that edges asked for. */
  requests = 0
  /** Of these, the ones that could not be opened, by code. */
  readonly requestErrors: Map<ErrorCode, number> = new Map()
  /** Connections to targets that were opened, and those of them that are open. */
  sessions = 0
  activeSessions = 0
  /** To targets, and back, of connections that have ended. */
  bytesSent = 0
  bytesReceived = 0
  /** Milliseconds from the request to the open connection. */
  readonly dialMs: Histogram = new Histogram(DIAL_BOUNDS_MS)
  /** Tunnel connections that edges accepted. */
  registrations = 0
  /** Attempts that came to nothing, by code. */
  readonly registrationErrors: Map<ErrorCode, number> = new Map()

  /** Counts a connection that was opened after `ms`, until it closes. */
  opened(stream: Duplex, ms: number): void {
    this.dialMs.observe(ms)
    this.sessions += 1
    this.activeSessions += 1
    stream.once('close', () => {
      this.activeSessions -= 1
      if (!(stream instanceof Socket)) return
      this.bytesSent += stream.bytesWritten
      this.bytesReceived += stream.bytesRead
    })
  }

  /** Counts a request that came to nothing. */
  refused(error: unknown): void {
    count(this.requestErrors, error)
  }

  /** Counts one attempt to register by what comes of it. Fails as `registering` does. */
  async register<T>(registering: Promise<T>): Promise<T> {
    try {
      const registered = await registering
      this.registrations += 1
      return registered
    } catch (error) {
      if (!HawserError.is(error, 'connection_aborted')) count(this.registrationErrors, error) // its own stop is no failure
      throw error
    }
  }
}

function count(totals: Map<ErrorCode, number>, error: unknown): void {
  const { code } = HawserError.from(error, 'proxy_internal_error')
  totals.set(code, (totals.get(code) ?? 0) + 1)
}
