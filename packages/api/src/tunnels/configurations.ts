import type { TunnelConfiguration } from '@hawser/directory'
import { z } from 'zod'
import { readBody } from '../body.ts'
import { answer } from '../envelope.ts'
import { API_ERRORS, ApiRefusal } from '../errors.ts'
import type { ApiContext, ApiOptions } from '../resource.ts'

/** What `GET …/configurations` answers: the vendor's shape, and in it `hawser`, which holds all that counts here. */
export interface ConfigurationResource {
  readonly account_id: string
  readonly tunnel_id: string
  readonly version: number
  readonly source: 'cloudflare'
  readonly created_at: string | null
  readonly config: {
    /** Public host names are not served. */
    readonly ingress: readonly never[]
    readonly hawser: TunnelConfiguration['settings']
  }
}

/** Rules without a host name are the catch-all that the vendor's clients always send. */
const ingress = z.array(z.object({ hostname: z.string().optional() }))
const change = z.object({ config: z.object({ ingress: ingress.optional(), hawser: z.unknown().optional() }) })

/** `GET` and `PUT …/cfd_tunnel/{id}/configurations`: what the connectors of a tunnel are told to do. */
export class ConfigurationHandlers {
  readonly #options: ApiOptions

  constructor(options: ApiOptions) {
    this.#options = options
  }

  async get(c: ApiContext, tunnelId: string): Promise<Response> {
    return answer(c, this.#resource(tunnelId, await this.#options.directory.tunnelConfigurations.get(tunnelId)))
  }

  /** Takes the place of the whole configuration; connectors follow at once, and no flow ends. */
  async put(c: ApiContext, tunnelId: string): Promise<Response> {
    const { config } = await readBody(c, change)
    if (config.ingress?.some(({ hostname = '' }) => hostname !== '') === true) {
      throw new ApiRefusal(API_ERRORS.badRequest, 'config.ingress: public host names are not served here')
    }
    const stored = await this.#options.directory.tunnelConfigurations.put(tunnelId, config.hawser ?? {})
    await this.#options.configureTunnel?.(tunnelId)
    return answer(c, this.#resource(tunnelId, stored))
  }

  #resource(tunnelId: string, { version, createdAt, settings }: TunnelConfiguration): ConfigurationResource {
    return {
      account_id: this.#options.directory.accountId,
      tunnel_id: tunnelId,
      version,
      source: 'cloudflare',
      created_at: createdAt ?? null,
      config: { ingress: [], hawser: settings },
    }
  }
}
