import { randomBytes } from 'node:crypto'
import { HawserError, Secret } from '@hawser/core'
import type { Logger } from '@hawser/core'
import type { Client, Directory, Service } from '@hawser/directory'
import { helloProof, sameProof } from './client-hello.ts'
import type { ClientHello } from './client-hello.ts'

/** What a client was let in for. */
export interface Grant {
  readonly client: { readonly id: string; readonly name: string }
  readonly target:
    | { readonly kind: 'network'; readonly tunnelId: string; readonly name: string }
    | { readonly kind: 'service'; readonly service: Service }
}

/** Decides whose connection it is and whether that client may use what it asks for. What was not granted is refused. */
export class ClientAccess {
  readonly #directory: Pick<Directory, 'clients' | 'services' | 'tunnels'>
  readonly #logger: Logger
  /** Stands for the secret of a client that does not exist, so that guessing ids looks just like guessing secrets. */
  readonly #nobody = new Secret(randomBytes(32).toString('base64'))

  constructor(directory: Pick<Directory, 'clients' | 'services' | 'tunnels'>, logger: Logger) {
    this.#directory = directory
    this.#logger = logger
  }

  /**
   * @param binding of the TLS connection on which the hello came
   * @throws {HawserError} `unauthorized`: alike for an unknown client and a wrong proof, and alike for a target that does not
   * exist and one that was not granted
   */
  async admit(hello: ClientHello, binding: Buffer): Promise<Grant> {
    try {
      return await this.#judge(hello, binding)
    } catch (error) {
      const { code, message: reason } = HawserError.from(error, 'proxy_internal_error')
      if (code === 'unauthorized') throw error
      // What the directory says of itself is for the operator, not for a stranger.
      this.#logger.error('could not look up a client', { code, reason })
      throw new HawserError('proxy_internal_error', 'the edge cannot check tokens at the moment', { cause: error })
    }
  }

  async #judge(hello: ClientHello, binding: Buffer): Promise<Grant> {
    const { clients } = this.#directory
    const secret = await clients.secretOf(hello.clientId)
    const matches = sameProof(helloProof(secret ?? this.#nobody, binding, hello), hello.proof)
    const client = matches && secret !== undefined ? await clients.find(hello.clientId) : undefined
    if (client === undefined) {
      throw new HawserError('unauthorized', 'the edge does not accept this token: it is for another edge, or deleted')
    }
    const target = hello.kind === 'network' ? await this.#network(client, hello) : await this.#service(client, hello)
    if (target !== undefined) return { client: { id: client.id, name: client.name }, target }
    const what = `${hello.kind} ${JSON.stringify(hello.target.slice(0, 100))}`
    throw new HawserError(
      'unauthorized',
      `client ${JSON.stringify(client.name)} may not use ${what}, or it does not exist`,
    )
  }

  /** Among what was granted only: a name means a tunnel that this client may use. */
  async #network(client: Client, { target }: ClientHello): Promise<Grant['target'] | undefined> {
    for (const id of client.networks) {
      const tunnel = await this.#directory.tunnels.get(id)
      if (tunnel === undefined || (tunnel.id !== target && tunnel.name !== target)) continue
      return { kind: 'network', tunnelId: tunnel.id, name: tunnel.name }
    }
    return undefined
  }

  async #service(client: Client, { target }: ClientHello): Promise<Grant['target'] | undefined> {
    const service = await this.#directory.services.find(target)
    return service !== undefined && client.services.includes(service.id) ? { kind: 'service', service } : undefined
  }
}
