import { HawserError, Secret } from '@hawser/core'
import type { Tunnel, TunnelActivity } from '@hawser/directory'
import { z } from 'zod'
import { readBody } from '../body.ts'
import { answer } from '../envelope.ts'
import { ApiRefusal } from '../errors.ts'
import type { ApiError, ErrorAnswers } from '../errors.ts'
import { pageOf } from '../paging.ts'
import { idIn } from '../query.ts'
import type { ApiConnection, ApiContext, ApiOptions, ApiResource } from '../resource.ts'
import { ConfigurationHandlers } from './configurations.ts'
import { connectorResources } from './connection-resource.ts'
import { tunnelFilter } from './tunnel-filter.ts'
import { tunnelResource } from './tunnel-resource.ts'
import type { TunnelResource } from './tunnel-resource.ts'

const PATH = '/accounts/:account_id/cfd_tunnel'

const NOT_FOUND: ApiError = { status: 404, code: 1002, message: 'Tunnel not found' }
const IN_USE: ApiError = {
  status: 400,
  code: 1022,
  message: 'This tunnel has active connections. End them first, or delete it with ?cascade=true',
}
const NO_CONNECTOR: ApiError = { status: 404, code: 10_404, message: 'No such connector is connected' }
const ERRORS: ErrorAnswers = {
  not_found: NOT_FOUND,
  // The vendor's SDK repeats a call that met a conflict, twice, unless told that it is of no use.
  conflict: { status: 409, code: 1013, message: '', headers: { 'x-should-retry': 'false' } },
}

/** Out of plain sight from here on: the directory checks what is in it. */
const secret = z.string().transform((text) => new Secret(text))
const creation = z.object({
  name: z.string(),
  // Taken and not kept: every tunnel here is configured at the edge, which the vendor calls `cloudflare`.
  config_src: z.enum(['local', 'cloudflare']).optional(),
  tunnel_secret: secret.optional(),
})
const change = z.object({ name: z.string().optional(), tunnel_secret: secret.optional() })

/** `/accounts/{id}/cfd_tunnel`: tunnels, their tokens and their connections. */
export function tunnels(options: ApiOptions): ApiResource {
  const handlers = new TunnelHandlers(options)
  return {
    errors: ERRORS,
    routes: [
      { path: PATH, methods: { GET: (c) => handlers.list(c), POST: (c) => handlers.create(c) } },
      {
        path: `${PATH}/:tunnel_id`,
        methods: { GET: (c) => handlers.get(c), PATCH: (c) => handlers.update(c), DELETE: (c) => handlers.delete(c) },
      },
      {
        path: `${PATH}/:tunnel_id/configurations`,
        methods: { GET: (c) => handlers.configuration(c, 'get'), PUT: (c) => handlers.configuration(c, 'put') },
      },
      { path: `${PATH}/:tunnel_id/token`, methods: { GET: (c) => handlers.token(c) } },
      {
        path: `${PATH}/:tunnel_id/connections`,
        methods: { GET: (c) => handlers.connections(c), DELETE: (c) => handlers.disconnect(c) },
      },
      { path: `${PATH}/:tunnel_id/connectors/:connector_id`, methods: { GET: (c) => handlers.connector(c) } },
    ],
  }
}

/** One method for each call. All of them throw what `errors.ts` knows how to tell. */
class TunnelHandlers {
  readonly #options: ApiOptions

  constructor(options: ApiOptions) {
    this.#options = options
  }

  /** Filters first, then pages: `total_count` is of what was asked for. */
  async list(c: ApiContext): Promise<Response> {
    const filter = tunnelFilter(c)
    const { directory } = this.#options
    const found = await directory.tunnels.list({ name: filter.name, includeDeleted: filter.deleted })
    const activity = await directory.tunnelActivity.list()
    const wanted = found
      .filter(({ deletedAt }) => (deletedAt !== undefined) === filter.deleted)
      .map((tunnel) => this.#show(tunnel, activity.get(tunnel.id)))
      .filter((tunnel) => filter.matches(tunnel))
    const { items, info } = pageOf(c, wanted)
    return answer(c, items, info)
  }

  /** A name in use is refused, so that a client that repeats a call it lost the answer of makes no second tunnel. */
  async create(c: ApiContext): Promise<Response> {
    const body = await readBody(c, creation)
    const tunnel = await this.#options.directory.tunnels.create({ name: body.name, secret: body.tunnel_secret })
    return answer(c, await this.#resource(tunnel))
  }

  /** Deleted tunnels too, with the date: clients that delete look here whether it is done. */
  async get(c: ApiContext): Promise<Response> {
    const tunnel = await this.#options.directory.tunnels.get(tunnelId(c))
    if (tunnel === undefined) throw new ApiRefusal(NOT_FOUND)
    return answer(c, await this.#resource(tunnel))
  }

  /** A new secret counts from the next connection on; those that are open stay. */
  async update(c: ApiContext): Promise<Response> {
    const id = tunnelId(c)
    const body = await readBody(c, change)
    const changes = { name: body.name, secret: body.tunnel_secret }
    return answer(c, await this.#resource(await this.#options.directory.tunnels.update(id, changes)))
  }

  /** Refused while connectors are connected or routes lead to it, unless with `?cascade=true`: both end with it. */
  async delete(c: ApiContext): Promise<Response> {
    const id = tunnelId(c)
    const cascade = c.req.query('cascade') === 'true'
    if (!cascade && this.#options.connections(id).length > 0) throw new ApiRefusal(IN_USE)
    const tunnel = await this.#options.directory.tunnels.delete(id, cascade).catch((error: unknown) => {
      if (!HawserError.is(error, 'conflict')) throw error
      throw new ApiRefusal({
        ...IN_USE,
        message: `${error.message}. Delete them first, or delete it with what leads to it`,
      })
    })
    // Also without `cascade`: one may have come while the row was written. None can come from now on.
    disconnectAll(this.#options.connections(id), `the tunnel ${tunnel.name} was deleted`)
    return answer(c, await this.#resource(tunnel))
  }

  /** The one answer that holds a secret, and the whole point of asking. */
  async token(c: ApiContext): Promise<Response> {
    const { id } = await this.#live(c)
    const token = await this.#options.tunnelToken(id)
    return answer(c, token.reveal())
  }

  async configuration(c: ApiContext, call: 'get' | 'put'): Promise<Response> {
    const { id } = await this.#live(c)
    return new ConfigurationHandlers(this.#options)[call](c, id)
  }

  /** Grouped by connector, not paged, as the vendor does. */
  async connections(c: ApiContext): Promise<Response> {
    const { id } = await this.#live(c)
    return answer(c, connectorResources(this.#options.connections(id)))
  }

  /** One of those that {@link connections} lists. */
  async connector(c: ApiContext): Promise<Response> {
    const { id } = await this.#live(c)
    const own = this.#options.connections(id).filter(({ connector }) => connector.id === c.req.param('connector_id'))
    const [connector] = connectorResources(own)
    if (connector === undefined) throw new ApiRefusal(NO_CONNECTOR)
    return answer(c, connector)
  }

  /** Ends the connections of one connector, or of all. A connector whose token is still good comes back. */
  async disconnect(c: ApiContext): Promise<Response> {
    const { id } = await this.#live(c)
    const client = c.req.query('client_id')
    const all = this.#options.connections(id)
    const chosen = client === undefined ? all : all.filter(({ connector }) => connector.id === client)
    disconnectAll(chosen, 'disconnected by an operator')
    return answer(c, null)
  }

  async #live(c: ApiContext): Promise<Tunnel> {
    const tunnel = await this.#options.directory.tunnels.get(tunnelId(c))
    if (tunnel === undefined || tunnel.deletedAt !== undefined) throw new ApiRefusal(NOT_FOUND)
    return tunnel
  }

  async #resource(tunnel: Tunnel): Promise<TunnelResource> {
    return this.#show(tunnel, await this.#options.directory.tunnelActivity.get(tunnel.id))
  }

  #show(tunnel: Tunnel, activity: TunnelActivity | undefined): TunnelResource {
    const live = tunnel.deletedAt === undefined ? this.#options.connections(tunnel.id) : []
    return tunnelResource(tunnel, this.#options.directory.accountId, live, activity)
  }
}

function tunnelId(c: ApiContext): string {
  return idIn(c, 'tunnel_id')
}

function disconnectAll(connections: readonly ApiConnection[], why: string): void {
  for (const connection of connections) connection.disconnect(new HawserError('tunnel_closed', why))
}
