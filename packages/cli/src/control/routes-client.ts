import { isIP } from 'node:net'
import { HawserError } from '@hawser/core'
import { parseCidr } from '@hawser/policy'
import type { ApiClient } from './api-client.ts'
import { isRow, listAll, malformed } from './list-all.ts'

/** A route as the API tells it: of addresses, which is in a virtual network, or of names, which holds in all of them. */
export interface RouteRow {
  readonly id: string
  readonly network?: string
  readonly hostname?: string
  readonly tunnel_id: string
  readonly tunnel_name: string
  readonly virtual_network_id?: string
  readonly virtual_network_name?: string
  readonly comment: string
  readonly created_at: string
}

/** Which routes a list holds. Ids. */
export interface RouteFilter {
  readonly tunnelId?: string | undefined
  readonly virtualNetworkId?: string | undefined
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Whether a route for this would be one of addresses. Everything else is meant as a name. */
export function isBlock(text: string): boolean {
  return text.includes('/') || isIP(text) !== 0
}

/** The routes of one account. Every method throws as `ApiClient.call` does. */
export class RoutesClient {
  readonly #api: ApiClient
  readonly #blocks: string
  readonly #names: string

  constructor(api: ApiClient, accountId: string) {
    const account = `/accounts/${encodeURIComponent(accountId)}`
    this.#api = api
    this.#blocks = `${account}/teamnet/routes`
    this.#names = `${account}/zerotrust/routes/hostname`
  }

  /** @param what a block of addresses, an address, or a hostname */
  async add(what: string, tunnelId: string, virtualNetworkId: string | undefined, comment?: string): Promise<RouteRow> {
    const common = { tunnel_id: tunnelId, comment }
    if (!isBlock(what)) return asRoute(await this.#api.call('POST', this.#names, { hostname: what, ...common }))
    const body = { network: what, virtual_network_id: virtualNetworkId, ...common }
    return asRoute(await this.#api.call('POST', this.#blocks, body))
  }

  /** Those of addresses, then those of names; of a virtual network there are none of names. */
  async list({ tunnelId, virtualNetworkId }: RouteFilter = {}): Promise<RouteRow[]> {
    const query = { is_deleted: 'false', tunnel_id: tunnelId, per_page: '1000' }
    const inNetwork = { ...query, virtual_network_id: virtualNetworkId }
    const blocks = await listAll(this.#api, this.#blocks, inNetwork, 'a list of routes')
    if (virtualNetworkId !== undefined) return blocks.map(asRoute)
    return [...blocks, ...(await this.#hostnames(query))].map(asRoute)
  }

  /**
   * The one route that is meant.
   *
   * @param what its id, its hostname, or its block
   * @throws {HawserError} `not_found`; `conflict` where several virtual networks have a route for the block
   */
  async find(what: string, virtualNetworkId: string | undefined): Promise<RouteRow> {
    const found = (await this.#candidates(what, virtualNetworkId)).map(asRoute)
    const [first, second] = found.filter((route) => [route.id, route.hostname, route.network].includes(canonical(what)))
    if (first === undefined) throw new HawserError('not_found', `there is no route ${JSON.stringify(what)}`)
    if (second !== undefined) {
      const message = `several virtual networks have a route for ${what}; name one by --vnet, or give the id`
      throw new HawserError('conflict', message)
    }
    return first
  }

  async delete(route: RouteRow): Promise<RouteRow> {
    const path = route.hostname === undefined ? this.#blocks : this.#names
    return asRoute(await this.#api.call('DELETE', `${path}/${route.id}`))
  }

  /**
   * The routes that hold a host, the one that decides first.
   *
   * @param host an address, or a name in lower case
   */
  async holding(host: string, virtualNetworkId: string): Promise<RouteRow[]> {
    if (isIP(host) !== 0) {
      const query = { network_superset: host, virtual_network_id: virtualNetworkId }
      return (await listAll(this.#api, this.#blocks, query, 'a list of routes')).map(asRoute).toReversed()
    }
    const wildcard = `*${host.slice(host.indexOf('.'))}`
    const names = host.includes('.') ? [host, wildcard] : [host]
    const found = await Promise.all(names.map((hostname) => this.#hostnames({ hostname })))
    return found.flatMap((rows, at) => rows.map(asRoute).filter(({ hostname }) => hostname === names[at]))
  }

  async #candidates(what: string, virtualNetworkId: string | undefined): Promise<unknown[]> {
    if (isBlock(what)) {
      parseCidr(what, 'route') // here, for the API would name the filter of its list
      const query = { network_superset: what, virtual_network_id: virtualNetworkId }
      return listAll(this.#api, this.#blocks, query, 'a list of routes')
    }
    if (!UUID.test(what)) return this.#hostnames({ hostname: canonical(what) })
    const block = await listAll(this.#api, this.#blocks, { route_id: canonical(what) }, 'a list of routes')
    return [...block, ...(await this.#hostnames({ id: canonical(what) }))]
  }

  #hostnames(query: Readonly<Record<string, string | undefined>>): Promise<unknown[]> {
    return listAll(this.#api, this.#names, query, 'a list of hostname routes')
  }
}

/** As the API spells it: a single address is a block of one. */
function canonical(what: string): string {
  const family = isIP(what)
  return family === 0 ? what.toLowerCase() : `${what.toLowerCase()}/${family === 4 ? 32 : 128}`
}

/** Checks what every command leans on, the id; the rest is only printed. */
function asRoute(value: unknown): RouteRow {
  if (!isRow(value)) throw malformed('a route')
  return value as unknown as RouteRow
}
