import { formatHostPort, HawserError } from '@hawser/core'
import type {
  BindingIdentity,
  BindingNetwork,
  BindingResolver,
  BindingWay,
  HostPort,
  Logger,
  VpcService,
} from '@hawser/core'
import type { Directory, RoutingSnapshot } from '@hawser/directory'

/** How often other processes' changes are looked for; those of this process are known at once. */
const POLL_MS = 1_000
/** Reading the routes takes at most this share of the time, however often they change: one in so many. */
const REST_SHARE = 5

/** What the directory says of the networks and services of bindings. */
export type RoutingSource = Pick<Directory, 'loadRouting' | 'routing'>

/**
 * Where the bindings of an edge lead, out of its directory. Answers from a snapshot in memory, which another one replaces
 * soon after the directory has changed; what is under way goes on as it began.
 */
export class Routing implements BindingResolver {
  readonly #source: RoutingSource
  readonly #logger: Logger
  readonly #timer: NodeJS.Timeout
  readonly #unsubscribe: () => void
  #snapshot: RoutingSnapshot
  #refreshing: Promise<void> | undefined
  /** Something has changed since the refresh under way began. */
  #isStale = false
  #closed = false
  #restUntil = 0

  private constructor(source: RoutingSource, logger: Logger, snapshot: RoutingSnapshot) {
    this.#source = source
    this.#logger = logger
    this.#snapshot = snapshot
    this.#timer = setInterval(() => this.#poll(), POLL_MS).unref()
    this.#unsubscribe = source.routing.subscribe(() => this.#refresh())
  }

  /** @throws {HawserError} `storage_failed` */
  static async open(source: RoutingSource, logger: Logger): Promise<Routing> {
    return new Routing(source, logger, await source.loadRouting())
  }

  /** Waits for a refresh under way; after it, no other one begins. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    this.#unsubscribe()
    await this.#refreshing
  }

  service(_identity: BindingIdentity, serviceId: string): VpcService | undefined {
    return this.#snapshot.services.get(serviceId)
  }

  way(_identity: BindingIdentity, network: BindingNetwork, target: HostPort): BindingWay | undefined {
    if (network.kind === 'tunnel' || network.kind === 'public') return undefined
    if (network.kind === 'network') return this.#routed(network.virtualNetwork ?? network.networkId, target)
    const service = this.#snapshot.services.get(network.serviceId)
    return service && { kind: 'tunnel', tunnelId: service.tunnelId }
  }

  #routed(networkId: string, target: HostPort): BindingWay {
    const routes = this.#snapshot.network(networkId)
    if (routes === undefined) {
      const message = `${formatHostPort(target)}: there is no virtual network ${JSON.stringify(networkId)}`
      throw new HawserError('destination_not_found', message)
    }
    const found = routes.find(target.host)
    if (found !== undefined) return { kind: 'tunnel', tunnelId: found.tunnelId, matched: found.matched }
    const looked = `none of ${routes.describe(target.host)}`
    throw new HawserError('destination_not_found', `${formatHostPort(target)}: no route leads there: ${looked}`)
  }

  #poll(): void {
    if (this.#refreshing !== undefined) return
    if (this.#isStale) return this.#refresh()
    this.#source.routing.version().then(
      (version) => (version === this.#snapshot.version ? undefined : this.#refresh()),
      (error: unknown) => this.#failed(error),
    )
    return undefined
  }

  #refresh(): void {
    this.#isStale = true
    if (this.#closed || this.#refreshing !== undefined || performance.now() < this.#restUntil) return
    this.#refreshing = this.#load().finally(() => {
      this.#refreshing = undefined
      if (this.#isStale) this.#refresh()
    })
  }

  async #load(): Promise<void> {
    this.#isStale = false
    const startedAt = performance.now()
    try {
      this.#snapshot = await this.#source.loadRouting()
    } catch (error) {
      this.#failed(error)
    }
    const endedAt = performance.now()
    const tookMs = endedAt - startedAt
    // A large table is not read again and again while many routes are added: the next poll does it.
    if (tookMs > POLL_MS / REST_SHARE) this.#restUntil = endedAt + tookMs * REST_SHARE
  }

  /** The snapshot in use stays in use. */
  #failed(error: unknown): void {
    if (!this.#closed) this.#logger.error('the routes could not be read again', { error })
  }
}
