import type { VirtualNetwork } from '@hawser/directory'
import { z } from 'zod'
import { readBody } from '../body.ts'
import { answer } from '../envelope.ts'
import { API_ERRORS, ApiRefusal } from '../errors.ts'
import type { ApiError, ErrorAnswers } from '../errors.ts'
import { flag, idIn, isDeleted, readQuery } from '../query.ts'
import type { ApiContext, ApiOptions, ApiResource } from '../resource.ts'

const PATH = '/accounts/:account_id/teamnet/virtual_networks'
const NOT_FOUND: ApiError = { status: 404, code: 1046, message: 'Virtual network not found' }
const ERRORS: ErrorAnswers = { not_found: NOT_FOUND, conflict: { ...API_ERRORS.conflict, code: 1014 } }

const change = z.object({
  name: z.string().optional(),
  comment: z.string().optional(),
  is_default_network: z.boolean().optional(),
  /** The older name of the same. */
  is_default: z.boolean().optional(),
})
const creation = change.extend({ name: z.string() })
const filter = z.object({
  id: z.string().optional(),
  name: z.string().optional(),
  is_default_network: flag.optional(),
  is_default: flag.optional(),
  is_deleted: isDeleted,
})

/** `/accounts/{id}/teamnet/virtual_networks`: route tables of their own, for sites with the same addresses (V-156). */
export function virtualNetworks(options: ApiOptions): ApiResource {
  const handlers = new VirtualNetworkHandlers(options)
  return {
    errors: ERRORS,
    routes: [
      { path: PATH, methods: { GET: (c) => handlers.list(c), POST: (c) => handlers.create(c) } },
      {
        path: `${PATH}/:virtual_network_id`,
        methods: { GET: (c) => handlers.get(c), PATCH: (c) => handlers.update(c), DELETE: (c) => handlers.delete(c) },
      },
    ],
  }
}

/** One method for each call. All of them throw what `errors.ts` knows how to tell. */
class VirtualNetworkHandlers {
  readonly #store: ApiOptions['directory']['virtualNetworks']

  constructor({ directory }: ApiOptions) {
    this.#store = directory.virtualNetworks
  }

  /** One page, as the vendor's. */
  async list(c: ApiContext): Promise<Response> {
    const {
      id,
      name,
      is_default: older,
      is_default_network: isDefault = older,
      is_deleted: deleted,
    } = readQuery(c, filter)
    const found = await this.#store.list({ name, isDefault, deleted })
    return answer(c, found.filter((network) => id === undefined || network.id === id.toLowerCase()).map(resourceOf))
  }

  async create(c: ApiContext): Promise<Response> {
    const { name, comment, is_default: older, is_default_network: isDefault = older } = await readBody(c, creation)
    return answer(c, resourceOf(await this.#store.create({ name, comment, isDefault })))
  }

  /** Deleted networks too, with the date. */
  async get(c: ApiContext): Promise<Response> {
    const network = await this.#store.get(networkId(c))
    if (network === undefined) throw new ApiRefusal(NOT_FOUND)
    return answer(c, resourceOf(network))
  }

  async update(c: ApiContext): Promise<Response> {
    const id = networkId(c)
    const { name, comment, is_default: older, is_default_network: isDefault = older } = await readBody(c, change)
    return answer(c, resourceOf(await this.#store.update(id, { name, comment, isDefault })))
  }

  /** Refused while it has routes, unless with `?force=true`, which deletes them too. */
  async delete(c: ApiContext): Promise<Response> {
    return answer(c, resourceOf(await this.#store.delete(networkId(c), c.req.query('force') === 'true')))
  }
}

function networkId(c: ApiContext): string {
  return idIn(c, 'virtual_network_id')
}

/** A virtual network as the vendor's clients know it. */
function resourceOf(network: VirtualNetwork): object {
  return {
    id: network.id,
    name: network.name,
    comment: network.comment,
    is_default_network: network.isDefault,
    created_at: network.createdAt,
    deleted_at: network.deletedAt ?? null,
  }
}
