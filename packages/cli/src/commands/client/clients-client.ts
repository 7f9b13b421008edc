import { HawserError, Secret } from '@hawser/core'
import type { FlagValues } from '../../command.ts'
import { openApi } from '../../control/api-access.ts'
import type { apiFlags } from '../../control/api-access.ts'
import type { ApiClient } from '../../control/api-client.ts'
import { CLIENTS_PATH } from '../../edge/clients-path.ts'

/** A client as the API tells it. */
export interface ClientRow {
  readonly id: string
  readonly name: string
  readonly created_at: string
  readonly networks: readonly string[]
  readonly services: readonly string[]
}

/** The clients of one edge. Every method throws as `ApiClient.call` does; for an unknown client `options_invalid`. */
export class ClientsClient {
  readonly #api: ApiClient
  readonly #path: string

  private constructor(api: ApiClient, accountId: string) {
    this.#api = api
    this.#path = `/accounts/${encodeURIComponent(accountId)}${CLIENTS_PATH}`
  }

  /** @throws {HawserError} as `openApi` */
  static async open(flags: FlagValues<typeof apiFlags>, signal: AbortSignal): Promise<ClientsClient> {
    const { client, accountId } = await openApi(flags, signal)
    return new ClientsClient(client, accountId)
  }

  /** Networks and services by id or name: the API knows which. */
  async create(name: string, networks: readonly string[], services: readonly string[]): Promise<ClientRow> {
    return asClient(await this.#api.call('POST', this.#path, { name, networks, services }))
  }

  async list(): Promise<ClientRow[]> {
    const rows = await this.#api.call('GET', this.#path)
    if (!Array.isArray(rows)) throw malformed('a list of clients')
    return rows.map(asClient)
  }

  /** @param client its id or name */
  find(client: string): Promise<ClientRow> {
    return this.#api.call('GET', this.#pathOf(client)).then(asClient)
  }

  async token(client: string): Promise<Secret> {
    const token = await this.#api.call('GET', `${this.#pathOf(client)}/token`)
    if (typeof token !== 'string') throw malformed('a token')
    return new Secret(token)
  }

  async delete(client: string): Promise<ClientRow> {
    return asClient(await this.#api.call('DELETE', this.#pathOf(client)))
  }

  #pathOf(client: string): string {
    return `${this.#path}/${encodeURIComponent(client)}`
  }
}

function malformed(what: string): HawserError {
  return new HawserError('http_protocol_error', `the API's answer is not ${what}`)
}

/** Checks what commands lean on; the rest is only printed. */
function asClient(value: unknown): ClientRow {
  if (typeof value !== 'object' || value === null || !('id' in value) || !('name' in value)) throw malformed('a client')
  return value as ClientRow
}
