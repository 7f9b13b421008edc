import { formatHostPort, HawserError, parseHostPort } from '@hawser/core'
import type { HostPort, Logger } from '@hawser/core'
import { parseTunnelToken } from '@hawser/tunnel'
import type { TunnelToken } from '@hawser/tunnel'
import { compileAddressRules } from './address-rules.ts'
import type { AddressRules } from './address-rules.ts'

/** The port an edge listens on unless told otherwise (V-140). */
export const DEFAULT_EDGE_PORT = 7844

/** What a caller passes to `startConnector`. */
export interface ConnectorOptions {
  /** Tunnel token, as the edge issued it. Never logged. */
  readonly token: string
  /** Edge addresses, `host` or `host:port`; the token's own where absent or empty. @default those of the token */
  readonly edges?: readonly string[] | undefined
  /** CIDRs that may be dialled; with any, nothing else may. @default everything */
  readonly allow?: readonly string[] | undefined
  /** CIDRs that may not be dialled, whatever `allow` says. @default none */
  readonly deny?: readonly string[] | undefined
  readonly logger: Logger
  /** Tunnel connections, 1 to 16, spread over the edges. @default 4 */
  readonly connections?: number | undefined
  /** 0 to 100: while connectors of a greater weight can serve, this one stands by. @default 100 */
  readonly weight?: number | undefined
}

/** The same, checked and complete. */
export interface ConnectorConfig {
  readonly token: TunnelToken
  readonly edges: readonly HostPort[]
  readonly rules: AddressRules
  readonly connections: number
  readonly weight: number
}

const KNOWN = new Set(['token', 'edges', 'allow', 'deny', 'logger', 'connections', 'weight'])

function readNumber(field: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  const message = `${field}: expected a whole number of ${min} to ${max}, got ${String(value)}`
  throw new HawserError('options_invalid', message)
}

function readEdges(token: TunnelToken, given: readonly string[] | undefined): readonly HostPort[] {
  const fromToken = given === undefined || given.length === 0
  const texts = fromToken ? token.edges : given
  const edges = new Map<string, HostPort>() // two spellings of one edge are one edge
  for (const [at, text] of texts.entries()) {
    const field = fromToken ? 'token' : `edges[${at}]`
    const edge = parseHostPort(text, field, DEFAULT_EDGE_PORT)
    if (edge.port === 0)
      throw new HawserError('options_invalid', `${field}: expected a port of 1 to 65535, got ${text}`)
    edges.set(formatHostPort(edge).toLowerCase(), edge)
  }
  if (edges.size === 0) {
    throw new HawserError('options_invalid', 'edges: the token names no edge, so at least one host:port is needed')
  }
  return [...edges.values()]
}

/**
 * Checks what the caller passed.
 *
 * @throws {HawserError} `options_invalid`, `address_invalid` or `token_invalid`, naming the option
 */
export function resolveConnectorOptions(options: ConnectorOptions): ConnectorConfig {
  const unknown = Object.keys(options).find((key) => !KNOWN.has(key))
  if (unknown !== undefined) {
    throw new HawserError('options_invalid', `${unknown}: no such option; known are ${[...KNOWN].join(', ')}`)
  }
  const connections = readNumber('connections', options.connections ?? 4, 1, 16)
  const weight = readNumber('weight', options.weight ?? 100, 0, 100)
  const rules = compileAddressRules({ allow: options.allow ?? [], deny: options.deny ?? [] })
  const token = parseTunnelToken(options.token.trim())
  return { token, edges: readEdges(token, options.edges), rules, connections, weight }
}
