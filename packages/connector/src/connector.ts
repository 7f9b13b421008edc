import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { HawserError } from '@hawser/core'
import type { Dialed, DialTarget, Logger } from '@hawser/core'
import type { connectTunnel, ConnectorInfo } from '@hawser/tunnel'
import type { Clock } from './clock.ts'
import { createTargetDialer } from './dial-target.ts'
import type { TargetDialer } from './dial-target.ts'
import { EdgeLink } from './edge-link.ts'
import { NameResolver } from './name-resolver.ts'
import type { ConnectorConfig } from './options.ts'
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
  readonly #feed = new StatusFeed()
  readonly #logger: Logger
  readonly #links: readonly EdgeLink[]
  readonly #dialer: TargetDialer
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
    this.#dialer = parts.dialer ?? createTargetDialer({ rules: config.rules, resolver: new NameResolver() })
    const { id } = this
    const connector: ConnectorInfo = {
      id,
      version: VERSION,
      hostname: hostname(),
      platform: `${process.platform}-${process.arch}`,
    }
    const dial = this.#dial.bind(this)
    this.#links = config.edges.flatMap((edge) =>
      Array.from({ length: config.connections }, (_, connection) => {
        return new EdgeLink({
          edge,
          connection,
          open: (to, signal) =>
            parts.connectTunnel({ edge: to, token: config.token, connector, dial, logger: this.#logger, signal }),
          clock: parts.clock,
          feed: this.#feed,
          logger: this.#logger,
          onAttempt: () => this.#onAttempt(),
        })
      }),
    )
  }

  get activeStreams(): number {
    return this.#links.reduce((sum, link) => sum + link.activeStreams, 0)
  }

  /** Starts all links at once: an edge that is down must not delay the others. */
  start(): void {
    for (const link of this.#links) link.start()
  }

  status(): AsyncIterable<ConnectorStatus> {
    return this.#feed.follow()
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
    this.#feed.publish({ type: 'draining', activeStreams })
  }

  #onAttempt(): void {
    if (this.#links.some((link) => link.accepted)) return this.#becameReady.resolve()
    // A token that no edge has ever accepted is a slip of whoever installed it: ending with the error shows up in the
    // service manager. One that was accepted once is retried, since it may be allowed again.
    if (!this.#links.every((link) => link.failure?.code === 'tunnel_auth_failed')) return undefined
    this.#reason ??= this.#links[0]?.failure
    void this.close(0)
    return undefined
  }

  /** The edge's request. A refusal while shutting down carries a code of V-040, so that another connector may be tried. */
  async #dial(target: DialTarget, signal: AbortSignal): Promise<Dialed> {
    const { host, port, flowId } = target
    if (this.#announced) throw new HawserError('destination_unavailable', 'this connector is shutting down')
    try {
      const dialed = await this.#dialer(target, signal)
      this.#logger.debug('dialled', { flowId, host, port, remoteAddress: dialed.remoteAddress })
      return { ...dialed, connectorId: this.id }
    } catch (error) {
      const code = HawserError.is(error) ? error.code : undefined
      this.#logger.debug('could not dial', { flowId, host, port, code, error })
      throw error
    }
  }
}
