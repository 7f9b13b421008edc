import { HawserError, Secret } from '@hawser/core'
import type { ApiClient } from './api-client.ts'
import { isRow, listAll, malformed } from './list-all.ts'

/** A tunnel as the API tells it; more fields than these come with it. */
export interface TunnelRow {
  readonly id: string
  readonly name: string
  readonly status: string
  /** Hawser's own; missing elsewhere. */
  readonly target_status?: string | null
  readonly created_at: string
  readonly deleted_at: string | null
}

/** A connector that runs a tunnel, and its connections to the edge. */
export interface ConnectorRow {
  readonly id: string
  readonly arch: string
  readonly version: string
  readonly run_at: string | null
  /** Hawser's own, as what follows; missing elsewhere. */
  readonly weight?: number | null
  /** Of all its connections, to any edge. */
  readonly connections?: { readonly up: number; readonly of: number } | null
  readonly targets?: readonly {
    readonly host: string
    readonly port: number
    readonly healthy: boolean
    readonly code?: string
  }[]
  readonly conns: readonly { readonly id: string; readonly origin_ip: string; readonly opened_at: string | null }[]
}

/** What the connectors of a tunnel are told to do. */
export interface ConfigurationRow {
  readonly version: number
  readonly config: { readonly hawser?: unknown }
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

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
    const rows = await listAll(this.#api, this.#path, { is_deleted: 'false', name }, 'a list of tunnels')
    return rows.map(asTunnel)
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

  /** From now on the old token opens no new connection; those that are open stay. */
  async rotate(id: string, secret: Secret): Promise<TunnelRow> {
    return asTunnel(await this.#api.call('PATCH', `${this.#path}/${id}`, { tunnel_secret: secret.reveal() }))
  }

  /** Ends the connections of one connector, or of all. */
  async disconnect(id: string, connector?: string): Promise<void> {
    const which = connector === undefined ? '' : `?client_id=${encodeURIComponent(connector)}`
    await this.#api.call('DELETE', `${this.#path}/${id}/connections${which}`)
  }

  async configuration(id: string): Promise<ConfigurationRow> {
    return asConfiguration(await this.#api.call('GET', `${this.#path}/${id}/configurations`))
  }

  /** Takes the place of all that held before. */
  async configure(id: string, hawser: object): Promise<ConfigurationRow> {
    return asConfiguration(await this.#api.call('PUT', `${this.#path}/${id}/configurations`, { config: { hawser } }))
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

function asConfiguration(value: unknown): ConfigurationRow {
  const { version, config } = (value ?? {}) as Partial<ConfigurationRow>
  if (typeof version !== 'number' || typeof config !== 'object' || config === null) throw malformed('a configuration')
  return { version, config }
}
