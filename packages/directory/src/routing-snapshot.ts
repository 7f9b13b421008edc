import { formatIp, networkOf, parseIp, PrefixTableBuilder } from '@hawser/policy'
import type { IpAddress, PrefixTable } from '@hawser/policy'
import { HostnameTable } from './hostname-table.ts'
import type { Service } from './services.ts'

/** The network of an account as a whole (V-051): here, its default virtual network. */
export const ACCOUNT_NETWORK = 'cf1:network'

/** Where a host is reached. */
export interface FoundRoute {
  readonly tunnelId: string
  /** The route that decided, as it is listed: `10.0.0.0/16`, `*.svc.internal`. */
  readonly matched: string
}

/** The routes of one virtual network, ready for look-ups. */
export interface NetworkRoutes {
  /** A UUID. */
  readonly id: string
  readonly name: string
  /**
   * The longest prefix that holds an address; for a name its own route, or else that of the wildcard in the place of its first
   * label.
   *
   * @param host a canonical address literal without brackets, or a name in lower case
   */
  find(host: string): FoundRoute | undefined
  /** What was looked at, for whoever found nothing: `the 2 routes of virtual network default (10.0.0.0/8, fd00::/8)`. */
  describe(host: string): string
}

/** All that decides the way of calls, as it was when it was read. It never changes: another one takes its place. */
export interface RoutingSnapshot {
  /** See `RoutingFeed.version`. */
  readonly version: string
  /** By id or name, or {@link ACCOUNT_NETWORK}; undefined for one that does not exist. */
  network(idOrName: string): NetworkRoutes | undefined
  /** All VPC Services, by id. */
  readonly services: ReadonlyMap<string, Service>
}

/** Routes that a message lists, of those there are. */
const MAX_SHOWN = 5

/** Of a virtual network while it is being read. */
interface OpenNetwork {
  readonly id: string
  readonly name: string
  readonly isDefault: boolean
  readonly builder: PrefixTableBuilder<string>
  readonly shown: string[]
  count: number
}

/** Takes in what there is, a piece at a time, and compiles it. */
export class RoutingBuilder {
  readonly #networks = new Map<string, OpenNetwork>()
  readonly #hostnames = new HostnameTable()
  readonly #services = new Map<string, Service>()
  /** One text for each tunnel, not one for each route. */
  readonly #tunnelIds = new Map<string, string>()

  network(network: { readonly id: string; readonly name: string; readonly isDefault: boolean }): void {
    this.#networks.set(network.id, { ...network, builder: new PrefixTableBuilder(), shown: [], count: 0 })
  }

  /** @param network as a `Route` has it; of a virtual network that is known */
  route(network: string, tunnelId: string, virtualNetworkId: string): void {
    const within = this.#networks.get(virtualNetworkId)
    const slash = network.lastIndexOf('/')
    const address = parseIp(network.slice(0, slash))
    if (within === undefined || address === undefined) return
    within.builder.set({ address, prefix: Number(network.slice(slash + 1)) }, this.#tunnel(tunnelId))
    within.count += 1
    if (within.shown.length < MAX_SHOWN) within.shown.push(network)
  }

  /** @param hostname as a `HostnameRoute` has it */
  hostname(hostname: string, tunnelId: string): void {
    this.#hostnames.set(hostname, this.#tunnel(tunnelId))
  }

  service(service: Service): void {
    this.#services.set(service.id, service)
  }

  build(version: string): RoutingSnapshot {
    const known = new Map<string, NetworkRoutes>()
    const networks = [...this.#networks.values()].map((network) => ({ network, routes: this.#compile(network) }))
    // Ids last: a name that looks like the id of another network does not hide that one.
    for (const { network, routes } of networks) known.set(network.name, routes)
    for (const { network, routes } of networks) {
      known.set(network.id, routes)
      if (network.isDefault) known.set(ACCOUNT_NETWORK, routes)
    }
    return { version, services: this.#services, network: (idOrName) => known.get(idOrName) }
  }

  #compile({ id, name, builder, shown, count }: OpenNetwork): NetworkRoutes {
    const more = count > shown.length ? ', …' : ''
    const listed = count === 0 ? '' : ` (${shown.join(', ')}${more})`
    const what = `the ${count} route(s) of virtual network ${name}${listed}`
    return new CompiledNetwork(id, name, builder.build(), this.#hostnames, what)
  }

  #tunnel(id: string): string {
    const known = this.#tunnelIds.get(id)
    if (known === undefined) this.#tunnelIds.set(id, id)
    return known ?? id
  }
}

class CompiledNetwork implements NetworkRoutes {
  readonly id: string
  readonly name: string
  readonly #table: PrefixTable<string>
  readonly #hostnames: HostnameTable
  readonly #what: string

  constructor(id: string, name: string, table: PrefixTable<string>, hostnames: HostnameTable, what: string) {
    this.id = id
    this.name = name
    this.#table = table
    this.#hostnames = hostnames
    this.#what = what
  }

  find(host: string): FoundRoute | undefined {
    const address = parseIp(host)
    return address === undefined ? this.#hostnames.find(host) : this.#findAddress(address)
  }

  describe(host: string): string {
    if (parseIp(host) !== undefined) return this.#what
    return `${this.#hostnames.describe()}; a name needs one, for ${this.#what} are for addresses`
  }

  #findAddress(address: IpAddress): FoundRoute | undefined {
    const tunnelId = this.#table.find(address)
    return tunnelId === undefined ? undefined : new FoundBlock(tunnelId, address, this.#table)
  }
}

/** Writes the block only for whoever reads it: that costs more than the look-up. */
class FoundBlock implements FoundRoute {
  readonly tunnelId: string
  readonly #address: IpAddress
  readonly #table: PrefixTable<string>

  constructor(tunnelId: string, address: IpAddress, table: PrefixTable<string>) {
    this.tunnelId = tunnelId
    this.#address = address
    this.#table = table
  }

  get matched(): string {
    const prefix = this.#table.match(this.#address)?.prefix ?? 0
    return `${formatIp(networkOf(this.#address, prefix))}/${prefix}`
  }
}
