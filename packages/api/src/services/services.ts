import type { Service } from '@hawser/directory'
import { z } from 'zod'
import { readBody } from '../body.ts'
import { answer } from '../envelope.ts'
import { API_ERRORS, ApiRefusal } from '../errors.ts'
import type { ApiError, ErrorAnswers } from '../errors.ts'
import { pageOf } from '../paging.ts'
import { idIn, readQuery } from '../query.ts'
import type { ApiContext, ApiOptions, ApiResource } from '../resource.ts'
import { newServiceOf, serviceBody, serviceResource } from './service-body.ts'

const PATH = '/accounts/:account_id/connectivity/directory/services'
const NOT_FOUND: ApiError = { status: 404, code: 5104, message: 'Service not found' }
const ERRORS: ErrorAnswers = {
  // Of the tunnel: handlers look for the service themselves.
  not_found: { status: 400, code: 5101, message: '' },
  conflict: { ...API_ERRORS.conflict, code: 5101 },
}

const filter = z.object({ type: z.enum(['tcp', 'http']).optional() })

/** `/accounts/{id}/connectivity/directory/services`: the VPC Services that Workers bind to by their ids (V-013). */
export function services(options: ApiOptions): ApiResource {
  const handlers = new ServiceHandlers(options)
  return {
    errors: ERRORS,
    routes: [
      { path: PATH, methods: { GET: (c) => handlers.list(c), POST: (c) => handlers.create(c) } },
      {
        path: `${PATH}/:service_id`,
        methods: { GET: (c) => handlers.get(c), PUT: (c) => handlers.replace(c), DELETE: (c) => handlers.delete(c) },
      },
    ],
  }
}

/** One method for each call. All of them throw what `errors.ts` knows how to tell. */
class ServiceHandlers {
  readonly #store: ApiOptions['directory']['services']

  constructor({ directory }: ApiOptions) {
    this.#store = directory.services
  }

  async list(c: ApiContext): Promise<Response> {
    const { type } = readQuery(c, filter)
    const wanted = (await this.#store.list()).filter((service) => type === undefined || service.type === type)
    const { items, info } = pageOf(c, wanted)
    return answer(c, items.map(serviceResource), info)
  }

  async create(c: ApiContext): Promise<Response> {
    return answer(c, serviceResource(await this.#store.create(newServiceOf(await readBody(c, serviceBody)))))
  }

  async get(c: ApiContext): Promise<Response> {
    return answer(c, serviceResource(await this.#known(c)))
  }

  /** Puts the whole of what is sent in its place: what is left out is not kept. */
  async replace(c: ApiContext): Promise<Response> {
    const { id } = await this.#known(c)
    return answer(c, serviceResource(await this.#store.replace(id, newServiceOf(await readBody(c, serviceBody)))))
  }

  async delete(c: ApiContext): Promise<Response> {
    await this.#store.delete((await this.#known(c)).id)
    return answer(c, null)
  }

  /** By id alone: a name, even one that looks like an id, is no way to a service here. */
  async #known(c: ApiContext): Promise<Service> {
    const id = idIn(c, 'service_id')
    const service = await this.#store.find(id)
    if (service?.id !== id) throw new ApiRefusal(NOT_FOUND)
    return service
  }
}
