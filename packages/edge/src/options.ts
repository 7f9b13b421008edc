import { hostname } from 'node:os'
import { formatHostPort, HawserError, parseHostPort } from '@hawser/core'
import type { FlowRecord, HostPort, Logger } from '@hawser/core'

/** What a caller passes to `startEdge`. */
export interface EdgeOptions {
  /** Folder of the keys and the directory; made on the first start. */
  readonly dataDir: string
  /** Where connectors connect to; port 0 for any free one. */
  readonly tunnel: HostPort
  /** `host:port` under which connectors reach this edge; goes into tokens. @default the address listened on */
  readonly advertise?: readonly string[] | undefined
  readonly logger: Logger
  /** Called with every flow once it has ended. */
  readonly onFlow?: ((flow: FlowRecord) => void) | undefined
  /** Whether TLS sessions with targets are resumed; off, each connection pays for a whole handshake. @default true */
  readonly tlsSessions?: boolean | undefined
}

const KNOWN = new Set(['dataDir', 'tunnel', 'advertise', 'logger', 'onFlow', 'tlsSessions'])
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

/** The addresses that tokens name: those asked for, else the one listened on, or this host's name for a wildcard. */
export function advertisedEdges(advertise: readonly string[] | undefined, listening: HostPort): readonly string[] {
  if (advertise !== undefined && advertise.length > 0) return advertise
  const host = WILDCARDS.has(listening.host) ? hostname() : listening.host
  return [formatHostPort({ host, port: listening.port })]
}
