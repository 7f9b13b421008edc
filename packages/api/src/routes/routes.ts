import { isIP } from 'node:net'
import type { Route } from '@hawser/directory'
import { z } from 'zod'
import { readBody } from '../body.ts'
import { answer } from '../envelope.ts'
import { API_ERRORS, ApiRefusal } from '../errors.ts'
import type { ErrorAnswers } from '../errors.ts'
import { sliceOf } from '../paging.ts'
import { idIn, isDeleted, readQuery, unsupported } from '../query.ts'
import type { ApiContext, ApiOptions, ApiResource } from '../resource.ts'

const PATH = '/accounts/:account_id/teamnet/routes'
const NOT_FOUND = { ...API_ERRORS.noRoute, message: 'Route not found' }
const ERRORS: ErrorAnswers = {
  not_found: { ...API_ERRORS.noRoute, message: '' }, // the route, its tunnel or its network: the directory says which
  conflict: { ...API_ERRORS.conflict, code: 1014 },
}

const id = z.guid().toLowerCase()
const change = z.object({
  network: z.string().optional(),
  tunnel_id: id.optional(),
  virtual_network_id: id.optional(),
  comment: z.string().optional(),
})
const creation = change.extend({ network: z.string(), tunnel_id: id })
const filter = z.object({
  comment: z.string().optional(),
  is_deleted: isDeleted,
  network_subset: z.string().optional(),
  network_superset: z.string().optional(),
  route_id: z.string().optional(),
  tunnel_id: z.string().optional(),
  virtual_network_id: z.string().optional(),
  existed_at: unsupported,
  tun_types: unsupported,
})
/** `/accounts/{id}/teamnet/routes`: which blocks of addresses are reached through which tunnel. */
export function routes(options: ApiOptions): ApiResource {
  const handlers = new RouteHandlers(options)
  return {
    errors: ERRORS,
    routes: [
      { path: PATH, methods: { GET: (c) => handlers.list(c), POST: (c) => handlers.create(c) } },
      { path: `${PATH}/ip/:ip`, methods: { GET: (c) => handlers.best(c) } },
      {
        path: `${PATH}/:route_id`,
        methods: { GET: (c) => handlers.get(c), PATCH: (c) => handlers.update(c), DELETE: (c) => handlers.delete(c) },
      },
    ],
  }
}

/** One method for each call. All of them throw what `errors.ts` knows how to tell. */
class RouteHandlers {
  readonly #options: ApiOptions

  constructor(options: ApiOptions) {
    this.#options = options
  }

  /** A million routes are not read for one page of them. */
  async list(c: ApiContext): Promise<Response> {
    const query = readQuery(c, filter)
    const slice = sliceOf(c)
    const { items, total } = await this.#store.list(
      {
        id: query.route_id,
        tunnelId: query.tunnel_id,
        virtualNetworkId: query.virtual_network_id,
        comment: query.comment,
        deleted: query.is_deleted,
        within: query.network_subset,
        around: query.network_superset,
      },
      slice,
    )
    return answer(c, items.map(resourceOf), slice.info(items.length, total))
  }

  async create(c: ApiContext): Promise<Response> {
    const { network, tunnel_id: tunnelId, virtual_network_id: virtualNetworkId, comment } = await readBody(c, creation)
    return answer(c, resourceOf(await this.#store.create({ network, tunnelId, virtualNetworkId, comment })))
  }

  /** Deleted routes too, with the date. */
  async get(c: ApiContext): Promise<Response> {
    const route = await this.#store.get(idIn(c, 'route_id'))
    if (route === undefined) throw new ApiRefusal(NOT_FOUND)
    return answer(c, resourceOf(route))
  }

  /** In force for connections made from now on; those that are open stay. */
  async update(c: ApiContext): Promise<Response> {
    const route = idIn(c, 'route_id')
    const { network, tunnel_id: tunnelId, virtual_network_id: virtualNetworkId, comment } = await readBody(c, change)
    return answer(c, resourceOf(await this.#store.update(route, { network, tunnelId, virtualNetworkId, comment })))
  }

  async delete(c: ApiContext): Promise<Response> {
    return answer(c, resourceOf(await this.#store.delete(idIn(c, 'route_id'))))
  }

  /** The route that an address takes: the longest prefix that holds it, in one network, which is the default one unless named. */
  async best(c: ApiContext): Promise<Response> {
    const ip = c.req.param('ip') ?? ''
    if (isIP(ip) === 0) throw new ApiRefusal(API_ERRORS.badRequest, 'ip: expected an IPv4 or IPv6 address')
    const [main] = await this.#options.directory.virtualNetworks.list({ isDefault: true })
    const virtualNetworkId = c.req.query('virtual_network_id') ?? main?.id
    const { items } = await this.#store.list({ around: ip, virtualNetworkId })
    const best = items.at(-1) // of blocks that all hold one address the last is the smallest
    if (best === undefined) throw new ApiRefusal({ ...NOT_FOUND, message: `No route leads to ${ip}` })
    return answer(c, resourceOf(best))
  }

  get #store(): ApiOptions['directory']['routes'] {
    return this.#options.directory.routes
  }
}

/** A route as the vendor's clients know it. */
function resourceOf(route: Route): object {
  return {
    id: route.id,
    network: route.network,
    tunnel_id: route.tunnelId,
    tunnel_name: route.tunnelName,
    tun_type: 'cfd_tunnel',
    virtual_network_id: route.virtualNetworkId,
    virtual_network_name: route.virtualNetworkName,
    comment: route.comment,
    created_at: route.createdAt,
    deleted_at: route.deletedAt ?? null,
  }
}
