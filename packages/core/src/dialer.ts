import type { Duplex } from 'node:stream'
import type { Channel } from './channel.ts'
import { ChannelDuplex } from './channel-duplex.ts'
import { resetStream } from './duplex-channel.ts'
import type { StopSignal } from './stop.ts'

/** What to open a connection to. */
export interface DialTarget {
  /** A name, or an address literal without brackets. */
  readonly host: string
  readonly port: number
  /** A second address of the same target, raced against the first. Only for an address as `host`. */
  readonly otherHost?: string | undefined
  /** Asked for `host` by whoever dials, in place of the resolver of its own machine (V-009). Addresses without ports. */
  readonly resolverIps?: readonly string[] | undefined
  /** The flow this is for, so that both ends log the same id. */
  readonly flowId: string
  /** Whole milliseconds the far end may take to open it. */
  readonly timeoutMs: number
}

/** An open connection and how it came about. */
export interface Dialed {
  /** Half-open allowed; `destroy()` and `resetAndDestroy()` follow net.Socket. Whoever dialled owns it. */
  readonly stream: Duplex
  /**
   * The same connection where the way there knows it without a Duplex, for those who only move its bytes: it is used
   * instead of `stream`, never beside it.
   */
  readonly channel?: Channel | undefined
  /** The address that answered, `ip:port`. */
  readonly remoteAddress: string
  /** The connector that opened it; undefined for a direct connection. */
  readonly connectorId?: string | undefined
}

/** What was dialled as a Channel: a Duplex only for those who ask for one. */
export class ChannelDialed implements Dialed {
  readonly channel: Channel
  readonly remoteAddress: string
  readonly connectorId: string | undefined
  #stream: Duplex | undefined

  constructor(channel: Channel, remoteAddress: string, connectorId?: string) {
    this.channel = channel
    this.remoteAddress = remoteAddress
    this.connectorId = connectorId
  }

  get stream(): Duplex {
    // Between two owners an error must not go uncaught: the stream is destroyed by it, and that tells.
    return (this.#stream ??= new ChannelDuplex(this.channel).on('error', ignore))
  }
}

/** One way to open a connection: through a tunnel, directly, over an on-ramp. */
export interface Dialer {
  /** False once it opens nothing new. Missing where a way is never taken away. */
  readonly accepting?: boolean
  /** It was asked for a sign of life, and there has been none since. */
  readonly silent?: boolean
  /**
   * @throws {HawserError} a code of V-040; after `signal` aborts, `connection_aborted`. A connection that arrives after the
   * abort is released by the dialer, never handed out.
   */
  dial(target: DialTarget, signal: StopSignal): Promise<Dialed>
  /** Whether this way shows signs of life, for a caller that has waited long for `dial`. Missing where none can be asked for. */
  answers?(): Promise<boolean>
}

/** Ends what was dialled, so that its peer sees a reset. */
export function resetDialed(dialed: Dialed): void {
  if (dialed.channel === undefined) resetStream(dialed.stream)
  else dialed.channel.reset()
}

function ignore(): void {}
