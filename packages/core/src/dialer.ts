import type { Duplex } from 'node:stream'

/** What to open a connection to. */
export interface DialTarget {
  /** A name, or an address literal without brackets. */
  readonly host: string
  readonly port: number
  /** The flow this is for, so that both ends log the same id. */
  readonly flowId: string
  /** Whole milliseconds the far end may take to open it. */
  readonly timeoutMs: number
}

/** An open connection and how it came about. */
export interface Dialed {
  /** Half-open allowed; `destroy()` and `resetAndDestroy()` follow net.Socket. Whoever dialled owns it. */
  readonly stream: Duplex
  /** The address that answered, `ip:port`. */
  readonly remoteAddress: string
  /** The connector that opened it; undefined for a direct connection. */
  readonly connectorId?: string | undefined
}

/** One way to open a connection: through a tunnel, directly, over an on-ramp. */
export interface Dialer {
  /**
   * @throws {HawserError} a code of V-040; after `signal` aborts, `connection_aborted`. A connection that arrives after the
   * abort is released by the dialer, never handed out.
   */
  dial(target: DialTarget, signal: AbortSignal): Promise<Dialed>
}
