import type { Duplex } from 'node:stream'
import { countRead, HawserError } from '@hawser/core'
import { FrameDecoder } from './decoder.ts'
import type { FrameSink } from './decoder.ts'
import { Flag, FrameType, GoAwayCode, MAX_STREAM_ID } from './frame.ts'
import { Keepalive } from './keepalive.ts'
import { SESSION_GROWTH_BYTES } from './receive-window.ts'
import type { WindowPool } from './receive-window.ts'
import { FrameSender } from './sender.ts'
import { MuxStream } from './stream.ts'
import type { StreamHost } from './stream.ts'
import { StreamTable } from './stream-table.ts'

/** What a session is told when it is made. */
export interface SessionOptions {
  /** `client` is the side that dialled the transport; the streams it opens have odd ids. */
  readonly role: 'client' | 'server'
  /** Takes a stream the peer has opened, before any of its bytes are delivered. Without it all are reset. */
  readonly onStream?: ((stream: MuxStream) => void) | undefined
  /** Told when the peer is about to go: it takes no more streams, and may still open some. */
  readonly onGoAway?: (() => void) | undefined
  /** Streams the peer may have open at once; more are reset. @default 16_384 */
  readonly maxInboundStreams?: number | undefined
  /** Streams this side may have open at once. @default 16_384 */
  readonly maxOutboundStreams?: number | undefined
  /** Streams this side may have opened that the peer has not acknowledged yet. @default 4_096 */
  readonly maxUnacknowledged?: number | undefined
  /** Id of the first stream this side opens. @default 1 for the client, 2 for the server */
  readonly firstId?: number | undefined
  /** Gap between pings. @default 5_000 */
  readonly keepaliveMs?: number | undefined
  /** Silence after a ping that means the peer is dead. @default 4_500 */
  readonly pingTimeoutMs?: number | undefined
}

const MAX_STREAMS = 16_384
const MAX_UNACKNOWLEDGED = 4_096
const KEEPALIVE_MS = 5_000
const PING_TIMEOUT_MS = 4_500
const GO_AWAY_TEXT: Readonly<Record<number, string>> = {
  [GoAwayCode.ProtocolError]: 'protocol error',
  [GoAwayCode.InternalError]: 'internal error',
  [GoAwayCode.Disconnected]: 'disconnected by an operator',
}
const PEER_FAULTS: ReadonlySet<string> = new Set(['tunnel_protocol_error', 'tunnel_window_exceeded'])
/** How long the last frames may take to leave before the transport is destroyed. */
const END_LIMIT_MS = 1_000

/**
 * One yamux session over any transport, which it owns: opens and accepts streams, watches the peer, and ends. Whatever breaks
 * the protocol ends the session with a go-away, and its streams with the same error (docs/protocol.md, "Sessions").
 */
export class MuxSession implements FrameSink, StreamHost {
  readonly sender: FrameSender
  readonly pool: WindowPool = { growthLeft: SESSION_GROWTH_BYTES, roundTripMs: 0 }
  /** Settles when the transport has closed: with the error that ended the session, or undefined after an agreed end. */
  readonly closed: Promise<HawserError | undefined>
  /** Bytes read from the transport, headers included. */
  bytesReceived = 0
  readonly #options: SessionOptions
  readonly #transport: Duplex
  readonly #decoder: FrameDecoder
  readonly #keepalive: Keepalive
  readonly #streams = new StreamTable()
  /** Lowest bit of the ids this side gives. */
  readonly #parity: number
  #nextId: number
  #outbound = 0
  #unacknowledged = 0
  /** Where the payload that is arriving belongs; undefined while it is to be dropped. */
  #receiving: MuxStream | undefined
  #finFollows = false
  #goAwaySent = false
  #goAwayReceived = false
  #ended = false
  #error: HawserError | undefined
  #endTimer: NodeJS.Timeout | undefined
  readonly #whenIdle: (() => void)[] = []

  constructor(transport: Duplex, options: SessionOptions) {
    this.#transport = transport
    this.#options = options
    this.#parity = options.role === 'client' ? 1 : 0
    this.#nextId = options.firstId ?? (options.role === 'client' ? 1 : 2)
    this.sender = new FrameSender(transport, () => this.#deaf())
    this.#decoder = new FrameDecoder(this)
    this.#keepalive = new Keepalive({
      intervalMs: options.keepaliveMs ?? KEEPALIVE_MS,
      timeoutMs: options.pingTimeoutMs ?? PING_TIMEOUT_MS,
      sendPing: (id) => this.sender.ping(id, false),
      received: () => this.bytesReceived,
      onRoundTrip: (milliseconds) => (this.pool.roundTripMs = milliseconds),
      onDead: () => this.#finish(new HawserError('tunnel_timeout', 'the tunnel peer stopped answering'), true),
    })
    this.closed = new Promise((resolve) => {
      transport.once('close', () => {
        this.#finish(this.#lost('the tunnel connection closed'), true)
        clearTimeout(this.#endTimer)
        resolve(this.#error)
      })
    })
    transport.on('data', (chunk: Buffer) => {
      countRead(chunk.length)
      this.bytesReceived += chunk.length
      this.#decoder.push(chunk)
    })
    transport.once('end', () => this.#finish(this.#lost('the peer closed the tunnel connection'), false))
    transport.on('error', (cause) =>
      this.#finish(this.#lost(`the tunnel connection failed: ${cause.message}`, cause), true),
    )
    this.#keepalive.start()
  }

  /** Streams that are open, whoever opened them. */
  get streamCount(): number {
    return this.#streams.size
  }

  /** Streams that this side opened and that are still open. */
  get outboundCount(): number {
    return this.#outbound
  }

  /** Whether {@link open} may succeed. */
  get acceptsStreams(): boolean {
    return !this.#ended && !this.#goAwaySent && !this.#goAwayReceived && this.#nextId <= MAX_STREAM_ID
  }

  /**
   * Opens a stream. `first`, a small message, leaves with the frame that opens it; more may be written at once.
   *
   * @throws {HawserError} `tunnel_closed` when the session is ending or has used all ids, `tunnel_stream_limit`
   */
  open(first?: Buffer): MuxStream {
    if (!this.acceptsStreams)
      throw this.#error ?? new HawserError('tunnel_closed', 'the tunnel connection takes no new streams')
    const { maxOutboundStreams = MAX_STREAMS, maxUnacknowledged = MAX_UNACKNOWLEDGED } = this.#options
    if (this.#outbound >= maxOutboundStreams || this.#unacknowledged >= maxUnacknowledged) {
      const counts = `${this.#outbound} open, ${this.#unacknowledged} not yet acknowledged`
      throw new HawserError('tunnel_stream_limit', `too many streams on one tunnel connection: ${counts}`)
    }
    const stream = new MuxStream(this, this.#nextId, Flag.Syn)
    this.#nextId += 2
    this.#streams.add(stream)
    this.#outbound += 1
    this.#unacknowledged += 1
    if (first === undefined) stream.announce()
    else stream.sendPreface(first)
    return stream
  }

  /** Round trip of one ping, in milliseconds. */
  ping(): Promise<number> {
    return this.#keepalive.ping()
  }

  /** Tells the peer to open no more streams, and opens none; those open go on. */
  goAway(): void {
    if (this.#goAwaySent || this.#ended) return
    this.#goAwaySent = true
    this.sender.goAway(GoAwayCode.Normal)
  }

  /** Resolves when no stream that this side opened is left. */
  whenIdle(): Promise<void> {
    return this.#outbound === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  /** Ends the session by agreement: go-away, and the transport closes once all is sent. Streams still open fail. */
  end(): void {
    this.goAway()
    this.#finish(undefined, false)
  }

  /**
   * Ends the session because of `reason`: streams fail with it. The peer is told with a go-away.
   *
   * @param code what that go-away says. @default whose fault `reason` is
   */
  abort(reason: HawserError, code: GoAwayCode = faultOf(reason)): void {
    if (this.#ended) return
    this.sender.goAway(code)
    this.#finish(reason, false)
  }

  /** For streams. */
  forget(stream: MuxStream): void {
    if (!this.#streams.delete(stream.id) || (stream.id & 1) !== this.#parity) return
    this.#outbound -= 1
    if (!stream.acknowledged) this.#unacknowledged -= 1
    if (this.#outbound > 0 || this.#whenIdle.length === 0) return
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }

  /** For the decoder. */
  onFrame(type: FrameType, flags: number, streamId: number, length: number): void {
    switch (type) {
      case FrameType.Data:
      case FrameType.WindowUpdate:
        return this.#onStreamFrame(type, flags, streamId, length)
      case FrameType.Ping:
        return (flags & Flag.Syn) === 0 ? this.#keepalive.onAnswer(length) : this.sender.ping(length, true)
      case FrameType.GoAway:
        return this.#onGoAway(length)
    }
  }

  /** For the decoder. */
  onPayload(piece: Buffer, left: number): void {
    const stream = this.#receiving
    if (stream === undefined) return
    stream.onData(piece)
    if (left > 0) return
    this.#receiving = undefined
    if (this.#finFollows && !stream.onFin()) this.#secondFin(stream.id)
  }

  /** For the decoder. */
  onGarbage(reason: string): void {
    this.#violation(reason)
  }

  #onStreamFrame(type: FrameType, flags: number, id: number, length: number): void {
    this.#receiving = undefined
    if (id === 0) return this.#violation('a stream frame for stream 0')
    if ((flags & Flag.Syn) !== 0) this.#accept(id)
    const stream = this.#streams.get(id)
    // Frames for a stream that is gone are not an error: they were under way when it was reset.
    if (stream === undefined) return undefined
    if ((flags & Flag.Ack) !== 0 && !stream.acknowledged) {
      stream.acknowledged = true
      if ((id & 1) === this.#parity) this.#unacknowledged -= 1
    }
    if ((flags & Flag.Rst) !== 0) return this.#onReset(stream)
    if (type === FrameType.Data && length > 0) return this.#onDataFrame(stream, flags, length)
    if (!stream.onCredit(length)) return this.#violation(`the credit of stream ${id} exceeds 32 bits`)
    if ((flags & Flag.Fin) !== 0 && !stream.onFin()) return this.#secondFin(id)
    return undefined
  }

  #onDataFrame(stream: MuxStream, flags: number, length: number): void {
    if (stream.remoteEnded) return this.#violation(`data on stream ${stream.id} after its end`)
    if (length > stream.receiveCredit) {
      const text = `${length} bytes on stream ${stream.id}, which had credit for ${stream.receiveCredit}`
      return this.abort(new HawserError('tunnel_window_exceeded', text))
    }
    this.#receiving = stream
    this.#finFollows = (flags & Flag.Fin) !== 0
    return undefined
  }

  #accept(id: number): void {
    if ((id & 1) === this.#parity || this.#streams.get(id) !== undefined) {
      return this.#violation(`the peer opened stream ${id}, which is not free for it`)
    }
    const { onStream, maxInboundStreams = MAX_STREAMS } = this.#options
    const inbound = this.#streams.size - this.#outbound
    if (this.#goAwaySent || onStream === undefined || inbound >= maxInboundStreams) {
      return this.sender.control(FrameType.WindowUpdate, Flag.Rst, id, 0)
    }
    const stream = new MuxStream(this, id, Flag.Ack)
    this.#streams.add(stream)
    onStream(stream)
    return stream.announce() // not with the reply: how long a target takes must not count as the peer's backlog
  }

  #onReset(stream: MuxStream): void {
    this.forget(stream)
    const error = new HawserError('connection_terminated', 'the peer reset the stream')
    if ((stream.id & 1) === this.#parity) stream.onReset(error)
    else stream.onGone(error)
  }

  #onGoAway(code: number): void {
    if (code === GoAwayCode.Normal) {
      this.#goAwayReceived = true
      this.#options.onGoAway?.()
      return undefined
    }
    const kind = GO_AWAY_TEXT[code] ?? 'unknown reason'
    return this.#finish(
      new HawserError('tunnel_closed', `the peer ended the tunnel connection: ${kind} (${code})`),
      false,
    )
  }

  #secondFin(id: number): void {
    this.#violation(`a second end of stream ${id}`)
  }

  #violation(text: string): void {
    this.abort(new HawserError('tunnel_protocol_error', text))
  }

  /** The peer makes answers pile up without reading them. */
  #deaf(): void {
    this.#finish(new HawserError('tunnel_protocol_error', 'the tunnel peer sends and does not read'), true)
  }

  /** What a closed transport means: nothing special once a side has gone away. */
  #lost(text: string, cause?: Error): HawserError | undefined {
    if (cause === undefined && this.#goAwayReceived) return undefined
    return new HawserError('tunnel_closed', text, cause === undefined ? undefined : { cause })
  }

  #finish(error: HawserError | undefined, now: boolean): void {
    if (this.#ended) {
      if (now) this.#transport.destroy()
      return
    }
    this.#ended = true
    this.#error = error
    const reason = error ?? new HawserError('tunnel_closed', 'the tunnel connection closed')
    this.#decoder.stop()
    this.#keepalive.stop(reason)
    for (const stream of this.#streams.all()) stream.onGone(reason)
    if (now) {
      this.sender.close()
      this.#transport.destroy()
      return
    }
    this.sender.end()
    this.#endTimer = setTimeout(() => this.#transport.destroy(), END_LIMIT_MS)
  }
}

function faultOf({ code }: HawserError): GoAwayCode {
  return PEER_FAULTS.has(code) ? GoAwayCode.ProtocolError : GoAwayCode.InternalError
}
