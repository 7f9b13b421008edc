import { hostname } from 'node:os'
import { formatHostPort, HawserError, parseHostPort } from '@hawser/core'
import type { FlowRecord, HostPort, Logger, TlsRule } from '@hawser/core'
import type { RelaxableRule } from './flow/relaxed-egress.ts'

/** What a caller passes to `startEdge`. */
export interface EdgeOptions {
  /** Folder of the keys and the directory; made on the first start. */
  readonly dataDir: string
  /** Where connectors connect to; port 0 for any free one. */
  readonly tunnel: HostPort
  /** `host:port` under which connectors reach this edge; goes into tokens. @default the address listened on */
  readonly advertise?: readonly string[] | undefined
  /** Where programs that are no Workers connect to, by tokens of their own; nowhere unless given. */
  readonly clients?: HostPort | undefined
  /** How the edge speaks TLS to targets of theirs; see `BindingIdentity.tls`. @default public trust */
  readonly clientsTls?: readonly TlsRule[] | undefined
  /**
   * What decides among the healthy connections of a tunnel, in order: `weight`, `flows`, `rtt`; those left out follow.
   *
   * @default weight, flows, rtt
   */
  readonly prefer?: readonly string[] | undefined
  readonly logger: Logger
  /** Called with every flow once it has ended. */
  readonly onFlow?: ((flow: FlowRecord) => void) | undefined
  /** Rules of public egress to turn off: on a developer's machine only. @default none */
  readonly relaxed?: readonly RelaxableRule[] | undefined
  /** Called with a flow that has to wait until its invocation has fewer connections open (V-300). */
  readonly onQueued?: ((flow: FlowRecord) => void) | undefined
  /** Whether TLS sessions with targets are resumed; off, each connection pays for a whole handshake. @default true */
  readonly tlsSessions?: boolean | undefined
}

const KNOWN = new Set([
  'dataDir',
  'tunnel',
  'advertise',
  'clients',
  'clientsTls',
  'prefer',
  'logger',
  'onFlow',
  'relaxed',
  'onQueued',
  'tlsSessions',
])
const WILDCARDS = new Set(['0.0.0.0', '::', ''])

/** @throws {HawserError} `options_invalid` or `address_invalid`, naming the option */
export function checkEdgeOptions(options: EdgeOptions): void {
  const unknown = Object.keys(options).find((key) => !KNOWN.has(key))
  if (unknown !== undefined) {
    throw new HawserError('options_invalid', `${unknown}: no such option; known are ${[...KNOWN].join(', ')}`)
  }
  if (options.dataDir === '') throw new HawserError('options_invalid', 'dataDir: expected the path of a folder, got ""')
  for (const [at, text] of (options.advertise ?? []).entries()) {
    const field = `advertise[${at}]`
    if (parseHostPort(text, field).port === 0) {
      throw new HawserError('options_invalid', `${field}: expected a port of 1 to 65535, got ${text}`)
    }
  }
}

/** The addresses that tokens of clients name: the hosts that tokens of connectors name, and the port for clients. */
export function advertisedToClients(advertise: readonly string[] | undefined, listening: HostPort): readonly string[] {
  const hosts = (advertise ?? []).map((text, at) => parseHostPort(text, `advertise[${at}]`).host)
  if (hosts.length === 0) return advertisedEdges(undefined, listening)
  return [...new Set(hosts)].map((host) => formatHostPort({ host, port: listening.port }))
}

/** The addresses that tokens name: those asked for, else the one listened on, or this host's name for a wildcard. */
export function advertisedEdges(advertise: readonly string[] | undefined, listening: HostPort): readonly string[] {
  if (advertise !== undefined && advertise.length > 0) return advertise
  const host = WILDCARDS.has(listening.host) ? hostname() : listening.host
  return [formatHostPort({ host, port: listening.port })]
}
