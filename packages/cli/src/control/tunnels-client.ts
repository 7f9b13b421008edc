import { HawserError, Secret } from '@hawser/core'
import type { ApiClient } from './api-client.ts'

/** A tunnel as the API tells it; more fields than these come with it. */
export interface TunnelRow {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly created_at: string
  readonly deleted_at: string | null
}

/** A connector that runs a tunnel, and its connections to the edge. */
export interface ConnectorRow {
  readonly id: string
  readonly arch: string
  readonly version: string
  readonly run_at: string | null
  readonly conns: readonly { readonly id: string; readonly origin_ip: string; readonly opened_at: string | null }[]
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** No account may have more tunnels (V-138), and a page holds at least one. */
const MAX_PAGES = 1000

function malformed(what: string): HawserError {
  return new HawserError('http_protocol_error', `the API's answer is not ${what}`)
}

function isRow(value: unknown): value is { readonly id: string } {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string'
}

/** The tunnels of one account. Every method throws as `ApiClient.call` does. */
export class TunnelsClient {
  readonly #api: ApiClient
  readonly #path: string

  constructor(api: ApiClient, accountId: string) {
    this.#api = api
    this.#path = `/accounts/${encodeURIComponent(accountId)}/cfd_tunnel`
  }

  /** Names are checked by the API, so that the rule is in one place. */
  async create(name: string): Promise<TunnelRow> {
    return asTunnel(await this.#api.call('POST', this.#path, { name, config_src: 'cloudflare' }))
  }

  /** All pages, deleted tunnels left out. */
  async list(name?: string): Promise<TunnelRow[]> {
    const filter = name === undefined ? '' : `&name=${encodeURIComponent(name)}`
    const found: TunnelRow[] = []
    for (let page = 1; page <= MAX_PAGES; page += 1) {
      const rows = await this.#api.call('GET', `${this.#path}?is_deleted=false${filter}&page=${page}`)
      if (!Array.isArray(rows) || !rows.every(isRow)) throw malformed('a list of tunnels')
      if (rows.length === 0) return found
      found.push(...rows.map(asTunnel))
    }
    return found
  }

  /**
   * The tunnel of that id or name.
   *
   * @throws {HawserError} `not_found`; `conflict` where several have the name
   */
  async find(tunnel: string): Promise<TunnelRow> {
    if (UUID.test(tunnel)) return asTunnel(await this.#api.call('GET', `${this.#path}/${tunnel}`))
    const [first, second] = await this.list(tunnel)
    if (first === undefined) throw new HawserError('not_found', `there is no tunnel ${JSON.stringify(tunnel)}`)
    if (second !== undefined) throw new HawserError('conflict', `several tunnels are named ${tunnel}; give the id`)
    return first
  }

  /** Those connected now, each with its connections. */
  async connectors(id: string): Promise<ConnectorRow[]> {
    const rows = await this.#api.call('GET', `${this.#path}/${id}/connections`)
    if (!Array.isArray(rows) || !rows.every(isRow)) throw malformed('a list of connectors')
    return rows as ConnectorRow[]
  }

  /** The same token each time, until the tunnel's secret is replaced. */
  async token(id: string): Promise<Secret> {
    const token = await this.#api.call('GET', `${this.#path}/${id}/token`)
    if (typeof token !== 'string') throw malformed('a token')
    return new Secret(token)
  }

  /** @param cascade ends its connections first; without it a tunnel in use is refused */
  async delete(id: string, cascade: boolean): Promise<TunnelRow> {
    return asTunnel(await this.#api.call('DELETE', `${this.#path}/${id}${cascade ? '?cascade=true' : ''}`))
  }
}

/** Checks what every command leans on, the id; the rest is only printed. */
function asTunnel(value: unknown): TunnelRow {
  if (!isRow(value)) throw malformed('a tunnel')
  return value as TunnelRow
}
