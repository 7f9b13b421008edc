import { API_BASE } from '@hawser/api'
import type { createApi } from '@hawser/api'
import { HawserError } from '@hawser/core'
import type { Secret } from '@hawser/core'
import type { Client, Directory } from '@hawser/directory'
import { CLIENTS_PATH } from './clients-path.ts'

/** What the routes stand on. */
export interface ClientRoutesOptions {
  readonly directory: Directory
  clientToken(clientId: string): Promise<Secret>
  /** Ends the connections of a client that has been deleted. */
  disconnectClient(clientId: string): void
}

type Api = ReturnType<typeof createApi>

/** A client as the API tells it. */
export interface ClientResource {
  readonly id: string
  readonly name: string
  readonly created_at: string
  readonly networks: readonly string[]
  readonly services: readonly string[]
}

/** Adds the clients of an edge to its control API. Who may call is decided there, as for every path below an account. */
export function addClientRoutes(api: Api, options: ClientRoutesOptions): void {
  const path = `${API_BASE}/accounts/:account_id${CLIENTS_PATH}`
  const { directory } = options
  const find = async (id: string): Promise<Client> => {
    const client = await directory.clients.find(id)
    if (client === undefined) throw new HawserError('options_invalid', `there is no client ${JSON.stringify(id)}`)
    return client
  }
  api.get(path, async (c) => c.json(success((await directory.clients.list()).map(resourceOf))))
  api.post(path, async (c) => {
    const wanted = readCreation(await c.req.text())
    const networks = await Promise.all(wanted.networks.map((network) => tunnelId(directory, network)))
    const services = await Promise.all(wanted.services.map((service) => serviceId(directory, service)))
    return c.json(success(resourceOf(await directory.clients.create({ name: wanted.name, networks, services }))))
  })
  api.get(`${path}/:client`, async (c) => c.json(success(resourceOf(await find(c.req.param('client') ?? '')))))
  api.get(`${path}/:client/token`, async (c) => {
    const { id } = await find(c.req.param('client') ?? '')
    return c.json(success((await options.clientToken(id)).reveal()))
  })
  api.delete(`${path}/:client`, async (c) => {
    const client = await find(c.req.param('client') ?? '')
    await directory.clients.delete(client.id)
    options.disconnectClient(client.id)
    return c.json(success(resourceOf(client)))
  })
}

interface Creation {
  readonly name: string
  readonly networks: readonly string[]
  readonly services: readonly string[]
}

/** @throws {HawserError} `options_invalid` naming the field, without its value */
function readCreation(text: string): Creation {
  let body: Readonly<Record<string, unknown>> = {}
  try {
    body = JSON.parse(text) as typeof body
  } catch {
    // Said below: a name is missing.
  }
  const { name, networks = [], services = [] } = body ?? {}
  if (typeof name !== 'string') throw new HawserError('options_invalid', 'name: expected text')
  if (!isTexts(networks)) throw new HawserError('options_invalid', 'networks: expected a list of ids or names')
  if (!isTexts(services)) throw new HawserError('options_invalid', 'services: expected a list of ids or names')
  return { name, networks, services }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string')
}

async function tunnelId({ tunnels }: Directory, network: string): Promise<string> {
  const byId = await tunnels.get(network)
  const found = byId?.deletedAt === undefined ? byId : undefined
  const id = found?.id ?? (await tunnels.list({ name: network }))[0]?.id
  if (id !== undefined) return id
  throw new HawserError('options_invalid', `networks: there is no tunnel ${JSON.stringify(network.slice(0, 100))}`)
}

async function serviceId({ services }: Directory, service: string): Promise<string> {
  const found = await services.find(service)
  if (found !== undefined) return found.id
  throw new HawserError('options_invalid', `services: there is no service ${JSON.stringify(service.slice(0, 100))}`)
}

function resourceOf({ id, name, createdAt, networks, services }: Client): ClientResource {
  return { id, name, created_at: createdAt, networks: [...networks], services: [...services] }
}

function success<T>(result: T): { success: true; errors: never[]; messages: never[]; result: T } {
  return { success: true, errors: [], messages: [], result }
}
