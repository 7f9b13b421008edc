import { HawserError } from '@hawser/core'
import type { HostPort, Logger } from '@hawser/core'
import type { ConnectorReport, TunnelConnection } from '@hawser/tunnel'
import { Backoff } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { EdgeSpread, KnownEdge } from './edge-spread.ts'
import type { StatusFeed } from './status.ts'

/** Opens one tunnel connection; rejects when `signal` aborts before it stands. */
export type OpenTunnel = (edge: HostPort, signal: AbortSignal) => Promise<TunnelConnection>

/** What one link is made of. Lent, not owned: the connector closes none of it through a link. */
export interface EdgeLinkOptions {
  readonly spread: EdgeSpread
  /** Counts from 0 among the links of the connector. */
  readonly connection: number
  readonly open: OpenTunnel
  readonly clock: Clock
  readonly feed: StatusFeed
  readonly logger: Logger
  /** Called after each attempt, whatever came of it, and when a connection has ended. */
  readonly onChange: () => void
}

/** Failures that trying again does not mend by itself: said once, at error, and retried slowly. */
const LASTING = new Set<string>(['tunnel_auth_failed', 'edge_certificate_error', 'tunnel_connector_limit'])

/**
 * Keeps one tunnel connection up until it is stopped. It has a home among the edges; from one that does not answer it moves
 * on to another, and from there goes home as soon as that answers. One that says it is about to go is left only once the
 * next connection stands, so that the tunnel never has one connection less than it could have.
 */
export class EdgeLink {
  readonly #options: EdgeLinkOptions
  readonly #backoff: Backoff
  readonly #stopping = new AbortController()
  readonly #home: KnownEdge
  /** The one it tries, or holds a connection to. */
  #edge: KnownEdge
  #running: Promise<void> | undefined
  /** Open ones: the one that counts, and those that are being left. */
  readonly #tunnels = new Set<TunnelConnection>()
  readonly #told = new WeakMap<TunnelConnection, ConnectorReport>()
  #accepted = false

  constructor(options: EdgeLinkOptions) {
    this.#options = options
    this.#backoff = new Backoff(options.clock)
    this.#home = options.spread.home(options.connection)
    this.#edge = this.#home
    this.#home.links += 1
  }

  /** Whether an edge has ever accepted this connector. */
  get accepted(): boolean {
    return this.#accepted
  }

  /** Whether a connection stands. */
  get connected(): boolean {
    return this.#tunnels.size > 0
  }

  /** Streams running through this link. */
  get activeStreams(): number {
    let sum = 0
    for (const { activeStreams } of this.#tunnels) sum += activeStreams
    return sum
  }

  /** Tells the edges at the other end of its connections how things stand; the same value again is not sent again. */
  tell(report: ConnectorReport): void {
    for (const tunnel of this.#tunnels) {
      if (this.#told.get(tunnel) === report) continue
      this.#told.set(tunnel, report)
      tunnel.report(report)
    }
  }

  /** Begins the first attempt. Calling it again does nothing. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** Tells the edge to send nothing new, and waits until what is running has ended. */
  async drain(): Promise<void> {
    this.#stopping.abort()
    await Promise.all([...this.#tunnels].map((tunnel) => tunnel.drain()))
  }

  /** Tells the edge to send nothing new, waits up to `graceMs` for what is running, then lets go. */
  async close(graceMs: number): Promise<void> {
    this.#stopping.abort()
    await Promise.all([...this.#tunnels].map((tunnel) => tunnel.close(graceMs)))
    await this.#running
  }

  /** Lets go at once. */
  abort(reason: HawserError): void {
    this.#stopping.abort()
    for (const tunnel of this.#tunnels) tunnel.abort(reason)
  }

  /** Attempt, hold, wait, again; ends once `#stopping` is aborted and never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#stopping
    let tunnel: TunnelConnection | undefined
    while (!signal.aborted) {
      tunnel ??= await this.#attempt()
      if (tunnel !== undefined) tunnel = await this.#hold(tunnel)
    }
    await tunnel?.close(0) // it arrived after the stop
  }

  async #attempt(): Promise<TunnelConnection | undefined> {
    const { open, connection, feed } = this.#options
    const edge = this.#edge
    const attempt = this.#backoff.failures + 1
    if (!this.connected) feed.publish({ type: 'connecting', edge: edge.text, connection, attempt })
    try {
      return await open(edge.address, this.#stopping.signal)
    } catch (thrown) {
      if (this.#stopping.signal.aborted) return undefined
      this.#move(this.#options.spread.other(edge))
      await this.#pause(edge, HawserError.from(thrown, 'edge_unreachable'))
      return undefined
    }
  }

  /**
   * Serves through a connection until it ends, its edge is about to go, or home answers again.
   *
   * @returns the connection home
   */
  async #hold(tunnel: TunnelConnection): Promise<TunnelConnection | undefined> {
    const { clock } = this.#options
    const { signal } = this.#stopping
    if (signal.aborted) return tunnel
    const edge = this.#edge
    const since = clock.now()
    this.#take(tunnel, edge)
    const over = new AbortController()
    const leaving = tunnel.leaving.then(() => 'leaving' as const)
    const ways = edge === this.#home ? [] : [this.#wayHome(AbortSignal.any([signal, over.signal]))]
    const event = await Promise.race([tunnel.closed, leaving, ...ways])
    over.abort()
    this.#backoff.lived(clock.now() - since)
    if (event === 'leaving') {
      await this.#leave(edge)
      return undefined
    }
    if (event === undefined || HawserError.is(event)) {
      if (!signal.aborted) await this.#pause(edge, event)
      return undefined
    }
    this.#move(this.#home)
    void tunnel.drain()
    return event
  }

  /** Tries the edge where this link belongs until it answers; undefined once `signal` aborts. */
  async #wayHome(signal: AbortSignal): Promise<TunnelConnection | undefined> {
    const { clock, open } = this.#options
    const backoff = new Backoff(clock)
    let waitMs = backoff.next()
    for (;;) {
      await clock.wait(waitMs, signal)
      if (signal.aborted) return undefined
      try {
        const tunnel = await open(this.#home.address, signal)
        if (!signal.aborted) return tunnel
        await tunnel.close(0)
      } catch (error) {
        waitMs = isLasting(error) ? backoff.slow() : backoff.next()
      }
    }
  }

  /** The edge has said that it is about to go. Its connection serves on while the next one is opened. */
  async #leave(edge: KnownEdge): Promise<void> {
    const { clock, logger, spread } = this.#options
    edge.failure = new HawserError('tunnel_closed', 'the edge is about to go') // no other link should move there now
    const next = spread.other(edge)
    logger.info('the edge is about to go', { edge: edge.text, next: next.text })
    this.#move(next)
    await clock.wait(this.#backoff.next(), this.#stopping.signal) // all its connectors were told at the same moment
  }

  #move(to: KnownEdge): void {
    this.#edge.links -= 1
    to.links += 1
    this.#edge = to
  }

  #take(tunnel: TunnelConnection, edge: KnownEdge): void {
    const { feed, logger, connection, onChange } = this.#options
    this.#tunnels.add(tunnel)
    this.#accepted = true
    edge.failure = undefined
    logger.info('connected to the edge', { edge: edge.text, connection, edgeId: tunnel.edgeId })
    feed.publish({ type: 'connected', edge: edge.text, connection, edgeId: tunnel.edgeId })
    onChange()
    void tunnel.closed.then(() => {
      this.#tunnels.delete(tunnel)
      onChange()
    })
  }

  /** Tells what has failed, and waits for the next attempt. */
  async #pause(edge: KnownEdge, error: HawserError | undefined): Promise<void> {
    const { clock, feed, connection, onChange } = this.#options
    const lasting = isLasting(error)
    const retryInMs = Math.round(lasting ? this.#backoff.slow() : this.#backoff.next())
    this.#report(edge, error, lasting, retryInMs)
    if (!this.connected) feed.publish({ type: 'disconnected', edge: edge.text, connection, error, retryInMs })
    onChange()
    await clock.wait(retryInMs, this.#stopping.signal)
  }

  /** One line when things change, whichever link sees it; the same failure again is a detail. */
  #report(edge: KnownEdge, error: HawserError | undefined, lasting: boolean, retryInMs: number): void {
    const { logger, connection } = this.#options
    const known = error !== undefined && edge.failure?.code === error.code
    edge.failure = error
    const fields = { edge: edge.text, connection, code: error?.code, error, retryInMs }
    if (known) logger.debug('still no connection to the edge', fields)
    else if (lasting) logger.error('the edge and this connector do not agree', fields)
    else if (error === undefined) logger.info('the edge ended the connection', fields)
    else logger.warn('no connection to the edge', fields)
  }
}

function isLasting(error: unknown): boolean {
  return HawserError.is(error) && LASTING.has(error.code)
}
