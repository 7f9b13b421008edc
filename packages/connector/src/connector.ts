import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import { HawserError } from '@hawser/core'
import type { Dialed, DialTarget, Logger, StopSignal } from '@hawser/core'
import type { Configuration, connectTunnel, ConnectorInfo, ConnectorReport } from '@hawser/tunnel'
import type { Clock } from './clock.ts'
import { ConnectorCounters } from './counters.ts'
import { createTargetDialer } from './dial-target.ts'
import type { TargetDialer } from './dial-target.ts'
import { EdgeLink } from './edge-link.ts'
import { EdgeSpread } from './edge-spread.ts'
import { LiveSettings } from './live-settings.ts'
import { NameResolver } from './name-resolver.ts'
import type { ConnectorConfig } from './options.ts'
import { Prober } from './prober.ts'
import { StatusFeed } from './status.ts'
import type { ConnectorStatus } from './status.ts'
import { VERSION } from './version.ts'

/** How long running flows may take to finish after a stop (V-166). */
export const DEFAULT_GRACE_MS = 30_000

/** The process in the private network: it holds tunnels to its edges and dials what they ask for. */
export interface Connector extends AsyncDisposable {
  /** A UUID, new with each start. */
  readonly id: string
  /** Resolves when the first tunnel stands; rejects if the connector closes before one did. */
  readonly ready: Promise<void>
  /** How things stand, then every change, until `closed`. Any number of readers. */
  status(): AsyncIterable<ConnectorStatus>
  /** How things stand now: the last change of each connection, `draining` once a stop has begun, then `closed`. */
  present(): readonly ConnectorStatus[]
  /** Totals since the start. */
  readonly counters: ConnectorCounters
  /** Streams running through all tunnels. */
  readonly activeStreams: number
  /** Takes no new work and waits until the running flows have ended, however long that takes; then closes. */
  drain(): Promise<void>
  /** Takes no new work, waits up to `graceMs` for the running flows (default 30 s), then ends them. */
  close(graceMs?: number): Promise<void>
  /** Ends everything now. */
  abort(reason: HawserError): void
  /**
   * Resolves once everything is released: with nothing after a stop, with the error after `abort`, and with
   * `tunnel_auth_failed` when every edge rejected the token and none had ever accepted it.
   */
  readonly closed: Promise<HawserError | undefined>
}

/** What a connector stands on; tests bring their own. */
export interface ConnectorParts {
  readonly connectTunnel: typeof connectTunnel
  readonly clock: Clock
  readonly dialer?: TargetDialer
}

/** A {@link Connector}, over links that each keep one tunnel up. Owns its links; the dialer is shared by all of them. */
export class RunningConnector implements Connector {
  readonly id: string = randomUUID()
  readonly ready: Promise<void>
  readonly closed: Promise<HawserError | undefined>
  readonly counters: ConnectorCounters = new ConnectorCounters()
  readonly #feed = new StatusFeed()
  readonly #logger: Logger
  readonly #spread: EdgeSpread
  readonly #links: readonly EdgeLink[]
  readonly #dialer: TargetDialer
  readonly #settings: LiveSettings
  readonly #prober: Prober
  #report: ConnectorReport | undefined
  readonly #becameReady = Promise.withResolvers<void>()
  readonly #becameClosed = Promise.withResolvers<HawserError | undefined>()
  #announced = false
  #draining: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #reason: HawserError | undefined

  constructor(config: ConnectorConfig, logger: Logger, parts: ConnectorParts) {
    this.ready = this.#becameReady.promise
    this.ready.catch(() => {}) // nobody has to wait for it
    this.closed = this.#becameClosed.promise
    this.#logger = logger.child({ connectorId: this.id, tunnelId: config.token.tunnelId })
    this.#settings = new LiveSettings(config.rules, this.#logger)
    this.#dialer = parts.dialer ?? createTargetDialer({ rules: this.#settings.rules, resolver: new NameResolver() })
    this.#prober = new Prober({
      dial: this.#dialer,
      clock: parts.clock,
      logger: this.#logger,
      onChange: () => this.#tell(),
    })
    const { id } = this
    const connector: ConnectorInfo = {
      id,
      version: VERSION,
      hostname: hostname(),
      platform: `${process.platform}-${process.arch}`,
    }
    const dial = this.#dial.bind(this)
    const { token, weight } = config
    const onConfigure = (configuration: Configuration): void => this.#configure(configuration)
    const fixed = { token, connector, weight, dial, onConfigure, logger: this.#logger }
    this.#spread = new EdgeSpread(config.edges)
    this.#links = Array.from({ length: config.connections }, (_, connection) => {
      return new EdgeLink({
        spread: this.#spread,
        connection,
        open: (edge, signal) => this.counters.register(parts.connectTunnel({ ...fixed, edge, signal })),
        clock: parts.clock,
        feed: this.#feed,
        logger: this.#logger,
        onChange: () => this.#onChange(),
      })
    })
  }

  get activeStreams(): number {
    return this.#links.reduce((sum, link) => sum + link.activeStreams, 0)
  }

  /**
   * Starts a link to every edge at once, since an edge that is down must not delay the others; the rest follow when an edge
   * has accepted the token: a wrong one is refused once, not once for each link.
   */
  start(): void {
    for (const link of this.#links.slice(0, this.#spread.edges.length)) link.start()
  }

  status(): AsyncIterable<ConnectorStatus> {
    return this.#feed.follow()
  }

  present(): readonly ConnectorStatus[] {
    return this.#feed.present()
  }

  drain(): Promise<void> {
    return (this.#draining ??= this.#drain())
  }

  close(graceMs: number = DEFAULT_GRACE_MS): Promise<void> {
    return (this.#closing ??= this.#shutDown(graceMs))
  }

  abort(reason: HawserError): void {
    this.#reason ??= reason
    for (const link of this.#links) link.abort(reason)
    void this.close(0)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #drain(): Promise<void> {
    this.#announceDrain()
    await Promise.allSettled(this.#links.map((link) => link.drain()))
    await this.close(0)
  }

  async #shutDown(graceMs: number): Promise<void> {
    this.#announceDrain()
    await Promise.allSettled(this.#links.map((link) => link.close(graceMs)))
    this.#becameReady.reject(this.#reason ?? new HawserError('tunnel_closed', 'the connector was closed'))
    this.#feed.publish({ type: 'closed', error: this.#reason })
    this.#logger.info('closed')
    this.#becameClosed.resolve(this.#reason)
  }

  /** Once, whichever of drain, close and abort comes first; from here on `#dial` refuses. */
  #announceDrain(): void {
    if (this.#announced) return
    this.#announced = true
    const { activeStreams } = this
    this.#logger.info('draining', { activeStreams })
    this.#prober.set([])
    this.#feed.publish({ type: 'draining', activeStreams })
  }

  #configure(configuration: Configuration): void {
    if (!this.#announced && this.#settings.apply(configuration, this.#prober)) this.#tell()
  }

  /** Tells every edge how things stand, unless it knows. */
  #tell(): void {
    if (this.#announced) return
    const report: ConnectorReport = {
      connections: { up: this.#links.filter(({ connected }) => connected).length, of: this.#links.length },
      configuration: this.#settings.version,
      targets: this.#prober.health,
    }
    if (!isDeepStrictEqual(report, this.#report)) this.#report = report
    for (const link of this.#links) link.tell(this.#report ?? report)
  }

  #onChange(): void {
    this.#tell()
    if (this.#links.some((link) => link.accepted)) {
      for (const link of this.#links) link.start()
      return this.#becameReady.resolve()
    }
    // A token that no edge has ever accepted is a slip of whoever installed it: ending with the error shows up in the
    // service manager. One that was accepted once is retried, since it may be allowed again.
    if (!this.#spread.edges.every(({ failure }) => failure?.code === 'tunnel_auth_failed')) return undefined
    this.#reason ??= this.#spread.edges[0]?.failure
    void this.close(0)
    return undefined
  }

  /** The edge's request. While shutting down it is refused as by a tunnel that has closed, so that the edge tries another one. */
  async #dial(target: DialTarget, signal: StopSignal): Promise<Dialed> {
    const { host, port, flowId } = target
    const startedAt = performance.now()
    this.counters.requests += 1
    try {
      if (this.#announced) throw new HawserError('tunnel_closed', 'this connector is shutting down')
      const dialed = await this.#dialer(target, signal)
      this.counters.opened(dialed.socket, performance.now() - startedAt)
      this.#logger.debug('dialled', { flowId, host, port, remoteAddress: dialed.remoteAddress })
      return dialed
    } catch (error) {
      this.counters.refused(error)
      const code = HawserError.is(error) ? error.code : undefined
      this.#logger.debug('could not dial', { flowId, host, port, code, error })
      throw error
    }
  }
}
