import { HawserError } from '@hawser/core'
import type { BindingNetwork, Secret } from '@hawser/core'
import { ClientDialer, parseClientToken } from '@hawser/edge/local'
import type { WorkerConfig } from '@hawser/workers'

/** In place of `networks.<binding>.token`, for whoever keeps secrets out of files. */
const VARIABLE = 'HAWSER_TOKEN_'

/** The token for a binding, and where it was written. */
export interface WrittenToken {
  readonly token: string
  readonly field: string
}

/** Undefined where there is none: the network is then this machine. */
export function tokenFor(binding: string, token: Secret | undefined): WrittenToken | undefined {
  const variable = `${VARIABLE}${binding}`
  const given = process.env[variable] ?? ''
  if (given !== '') return { token: given, field: variable }
  return token === undefined ? undefined : { token: token.reveal(), field: `hawser.jsonc: "networks.${binding}.token"` }
}

/** Where the edge of a token is, `host:port`. @throws {HawserError} `config_invalid` */
export function edgeOf({ token, field }: WrittenToken): string {
  const [edge] = read(field, () => parseClientToken(token)).edges
  if (edge !== undefined) return edge
  throw new HawserError('config_invalid', `${field}: it names no edge`)
}

function read<T>(field: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    const { message } = HawserError.from(error, 'token_invalid')
    throw new HawserError('config_invalid', `${field}: ${message}`, { cause: error })
  }
}

function idOf(network: Extract<BindingNetwork, { kind: 'tunnel' | 'network' }>): string {
  return network.kind === 'tunnel' ? network.tunnelId : network.networkId
}

/**
 * The way to the real network of each binding that has a token.
 *
 * @throws {HawserError} `config_invalid`, naming where the token was written that is none
 */
export function edgeDialers({ networks, standIns }: WorkerConfig): ReadonlyMap<string, ClientDialer> {
  const dialers = new Map<string, ClientDialer>()
  for (const { binding, network } of networks) {
    const { token, tunnel } = standIns.networks[binding] ?? {}
    const written = tokenFor(binding, token)
    if (written === undefined) continue
    const dialer = read(written.field, () => new ClientDialer(parseClientToken(written.token), tunnel ?? idOf(network)))
    dialers.set(binding, dialer)
  }
  return dialers
}
