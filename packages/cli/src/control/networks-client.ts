import { HawserError } from '@hawser/core'
import type { ApiClient } from './api-client.ts'
import { isRow, malformed } from './list-all.ts'

/** A virtual network as the API tells it. */
export interface NetworkRow {
  readonly id: string
  readonly name: string
  readonly comment: string
  readonly is_default_network: boolean
  readonly created_at: string
}

/** What may be said of a network; what is undefined is not said. */
export interface NetworkChanges {
  readonly name?: string | undefined
  readonly comment?: string | undefined
  readonly is_default_network?: boolean | undefined
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The virtual networks of one account. Every method throws as `ApiClient.call` does. */
export class NetworksClient {
  readonly #api: ApiClient
  readonly #path: string

  constructor(api: ApiClient, accountId: string) {
    this.#api = api
    this.#path = `/accounts/${encodeURIComponent(accountId)}/teamnet/virtual_networks`
  }

  async create(network: NetworkChanges): Promise<NetworkRow> {
    return asNetwork(await this.#api.call('POST', this.#path, network))
  }

  /** The one page that there is. */
  async list(name?: string): Promise<NetworkRow[]> {
    const filter = name === undefined ? '' : `&name=${encodeURIComponent(name)}`
    const rows = await this.#api.call('GET', `${this.#path}?is_deleted=false${filter}`)
    if (!Array.isArray(rows) || !rows.every(isRow)) throw malformed('a list of virtual networks')
    return rows.map(asNetwork)
  }

  /** @throws {HawserError} `not_found` for what is neither the id nor the name of one */
  async find(network: string): Promise<NetworkRow> {
    if (UUID.test(network)) return asNetwork(await this.#api.call('GET', `${this.#path}/${network}`))
    const [found] = await this.list(network)
    if (found !== undefined) return found
    throw new HawserError('not_found', `there is no virtual network ${JSON.stringify(network)}`)
  }

  async update(id: string, changes: NetworkChanges): Promise<NetworkRow> {
    return asNetwork(await this.#api.call('PATCH', `${this.#path}/${id}`, changes))
  }

  /** @param force deletes its routes too */
  async delete(id: string, force: boolean): Promise<NetworkRow> {
    return asNetwork(await this.#api.call('DELETE', `${this.#path}/${id}${force ? '?force=true' : ''}`))
  }
}

/** Checks what every command leans on, the id; the rest is only printed. */
function asNetwork(value: unknown): NetworkRow {
  if (!isRow(value)) throw malformed('a virtual network')
  return value as NetworkRow
}
