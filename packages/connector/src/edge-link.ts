import { formatHostPort, HawserError } from '@hawser/core'
import type { HostPort, Logger } from '@hawser/core'
import type { TunnelConnection } from '@hawser/tunnel'
import { Backoff } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { StatusFeed } from './status.ts'

/** Opens one tunnel connection; rejects when `signal` aborts before it stands. */
export type OpenTunnel = (edge: HostPort, signal: AbortSignal) => Promise<TunnelConnection>

/** What one link is made of. Lent, not owned: the connector closes none of it through a link. */
export interface EdgeLinkOptions {
  readonly edge: HostPort
  /** Counts from 0 among the connections to this edge. */
  readonly connection: number
  readonly open: OpenTunnel
  readonly clock: Clock
  readonly feed: StatusFeed
  readonly logger: Logger
  /** Called after each attempt, whatever came of it. */
  readonly onAttempt: () => void
}

/** Failures that trying again does not mend by itself: said once, at error, and retried slowly. */
const LASTING = new Set<string>(['tunnel_auth_failed', 'edge_certificate_error'])

/** Keeps one tunnel connection to one edge up until it is stopped. */
export class EdgeLink {
  readonly #options: EdgeLinkOptions
  readonly #backoff: Backoff
  readonly #stopping = new AbortController()
  readonly #edge: string
  #running: Promise<void> | undefined
  #connection: TunnelConnection | undefined
  #accepted = false
  #failure: HawserError | undefined

  constructor(options: EdgeLinkOptions) {
    this.#options = options
    this.#backoff = new Backoff(options.clock)
    this.#edge = formatHostPort(options.edge)
  }

  /** Whether the edge has ever accepted this connector. */
  get accepted(): boolean {
    return this.#accepted
  }

  /** What went wrong last; undefined while connected. */
  get failure(): HawserError | undefined {
    return this.#failure
  }

  /** Streams running through this link. */
  get activeStreams(): number {
    return this.#connection?.activeStreams ?? 0
  }

  /** Begins the first attempt. Calling it again does nothing. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** Tells the edge to send nothing new, and waits until what is running has ended. */
  async drain(): Promise<void> {
    this.#stopping.abort()
    await this.#connection?.drain()
  }

  /** Tells the edge to send nothing new, waits up to `graceMs` for what is running, then lets go. */
  async close(graceMs: number): Promise<void> {
    this.#stopping.abort()
    await this.#connection?.close(graceMs)
    await this.#running
  }

  /** Lets go at once. */
  abort(reason: HawserError): void {
    this.#stopping.abort()
    this.#connection?.abort(reason)
  }

  /** Attempt, hold, wait, again; ends once `#stopping` is aborted and never rejects. */
  async #run(): Promise<void> {
    const { open, edge, connection, clock, feed, onAttempt } = this.#options
    const { signal } = this.#stopping
    while (!signal.aborted) {
      feed.publish({ type: 'connecting', edge: this.#edge, connection, attempt: this.#backoff.failures + 1 })
      let error: HawserError | undefined
      try {
        error = await this.#serve(await open(edge, signal))
      } catch (thrown) {
        error = HawserError.from(thrown, 'edge_unreachable')
      }
      if (signal.aborted) return
      const lasting = error !== undefined && LASTING.has(error.code)
      const retryInMs = Math.round(lasting ? this.#backoff.slow() : this.#backoff.next())
      this.#report(error, lasting, retryInMs)
      feed.publish({ type: 'disconnected', edge: this.#edge, connection, error, retryInMs })
      onAttempt()
      await clock.wait(retryInMs, signal)
    }
  }

  /** Holds the connection until it ends; returns what ended it. */
  async #serve(tunnel: TunnelConnection): Promise<HawserError | undefined> {
    const { clock, feed, logger, connection, onAttempt } = this.#options
    if (this.#stopping.signal.aborted) {
      await tunnel.close(0) // it arrived after the stop
      return undefined
    }
    const since = clock.now()
    this.#connection = tunnel
    this.#accepted = true
    this.#failure = undefined
    logger.info('connected to the edge', { edge: this.#edge, connection, edgeId: tunnel.edgeId })
    feed.publish({ type: 'connected', edge: this.#edge, connection, edgeId: tunnel.edgeId })
    onAttempt()
    const error = await tunnel.closed
    this.#connection = undefined
    this.#backoff.lived(clock.now() - since)
    return error
  }

  /** One line when things change; the same failure again is a detail. */
  #report(error: HawserError | undefined, lasting: boolean, retryInMs: number): void {
    const { logger, connection } = this.#options
    const known = error !== undefined && this.#failure?.code === error.code
    this.#failure = error
    const fields = { edge: this.#edge, connection, code: error?.code, error, retryInMs }
    if (known) logger.debug('still no connection to the edge', fields)
    else if (lasting) logger.error('the edge and this connector do not trust each other', fields)
    else if (error === undefined) logger.info('the edge ended the connection', fields)
    else logger.warn('no connection to the edge', fields)
  }
}
