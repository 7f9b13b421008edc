import type { HostnameRoute } from '@hawser/directory'
import { z } from 'zod'
import { readBody } from '../body.ts'
import { answer } from '../envelope.ts'
import { API_ERRORS, ApiRefusal } from '../errors.ts'
import type { ErrorAnswers } from '../errors.ts'
import { sliceOf } from '../paging.ts'
import { idIn, isDeleted, readQuery, unsupported } from '../query.ts'
import type { ApiContext, ApiOptions, ApiResource } from '../resource.ts'

const PATH = '/accounts/:account_id/zerotrust/routes/hostname'
const NOT_FOUND = { ...API_ERRORS.noRoute, message: 'Hostname route not found' }
const ERRORS: ErrorAnswers = {
  not_found: { ...API_ERRORS.noRoute, message: '' }, // the route or its tunnel: the directory says which
}

const id = z.guid().toLowerCase()
const change = z.object({
  hostname: z.string().optional(),
  tunnel_id: id.optional(),
  comment: z.string().optional(),
})
const creation = change.extend({ hostname: z.string(), tunnel_id: id })
const filter = z.object({
  id: z.string().optional(),
  comment: z.string().optional(),
  hostname: z.string().optional(),
  is_deleted: isDeleted,
  tunnel_id: z.string().optional(),
  existed_at: unsupported,
})

/** `/accounts/{id}/zerotrust/routes/hostname`: which names are reached through which tunnel (V-152). */
export function hostnameRoutes(options: ApiOptions): ApiResource {
  const handlers = new HostnameRouteHandlers(options)
  return {
    errors: ERRORS,
    routes: [
      { path: PATH, methods: { GET: (c) => handlers.list(c), POST: (c) => handlers.create(c) } },
      {
        path: `${PATH}/:hostname_route_id`,
        methods: { GET: (c) => handlers.get(c), PATCH: (c) => handlers.update(c), DELETE: (c) => handlers.delete(c) },
      },
    ],
  }
}

/** One method for each call. All of them throw what `errors.ts` knows how to tell. */
class HostnameRouteHandlers {
  readonly #store: ApiOptions['directory']['hostnameRoutes']

  constructor({ directory }: ApiOptions) {
    this.#store = directory.hostnameRoutes
  }

  async list(c: ApiContext): Promise<Response> {
    const { id: only, comment, hostname, is_deleted: deleted, tunnel_id: tunnelId } = readQuery(c, filter)
    const slice = sliceOf(c)
    const { items, total } = await this.#store.list({ id: only, comment, hostname, deleted, tunnelId }, slice)
    return answer(c, items.map(resourceOf), slice.info(items.length, total))
  }

  async create(c: ApiContext): Promise<Response> {
    const { hostname, tunnel_id: tunnelId, comment } = await readBody(c, creation)
    return answer(c, resourceOf(await this.#store.create({ hostname, tunnelId, comment })))
  }

  /** Deleted routes too, with the date. */
  async get(c: ApiContext): Promise<Response> {
    const route = await this.#store.get(routeId(c))
    if (route === undefined) throw new ApiRefusal(NOT_FOUND)
    return answer(c, resourceOf(route))
  }

  /** In force for connections made from now on; those that are open stay. */
  async update(c: ApiContext): Promise<Response> {
    const route = routeId(c)
    const { hostname, tunnel_id: tunnelId, comment } = await readBody(c, change)
    return answer(c, resourceOf(await this.#store.update(route, { hostname, tunnelId, comment })))
  }

  async delete(c: ApiContext): Promise<Response> {
    return answer(c, resourceOf(await this.#store.delete(routeId(c))))
  }
}

function routeId(c: ApiContext): string {
  return idIn(c, 'hostname_route_id')
}

/** A hostname route as the vendor's clients know it. */
function resourceOf(route: HostnameRoute): object {
  return {
    id: route.id,
    hostname: route.hostname,
    tunnel_id: route.tunnelId,
    tunnel_name: route.tunnelName,
    tun_type: 'cfd_tunnel',
    comment: route.comment,
    created_at: route.createdAt,
    deleted_at: route.deletedAt ?? null,
  }
}
