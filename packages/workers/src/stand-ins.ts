import type { HostPort, Secret } from '@hawser/core'
import type { HostMatch } from './host-match.ts'

/** One host of a private network, or several by a wildcard, and what stands in for it on a developer's machine. */
export interface HostStandIn {
  readonly match: HostMatch
  /** A name or an address, lower case, no brackets. */
  readonly host: string
  /** The port that the Worker names, unless given. */
  readonly port?: number | undefined
  /** The key as it stands in the file, for messages. */
  readonly written: string
}

/** What stands in for one `vpc_networks` binding. */
export interface NetworkStandIns {
  /** In the order of the file; {@link standInFor} chooses among them. */
  readonly hosts: readonly HostStandIn[]
  /** A client's token: what no entry of `hosts` matches goes through the edge of that token, not to this machine. */
  readonly token?: Secret | undefined
  /** Id or name by which that edge knows the network; the id in the wrangler file unless given. */
  readonly tunnel?: string | undefined
  /** Of a binding with a `network_id`: the virtual network that an edge takes the routes of. */
  readonly virtualNetwork?: string | undefined
}

/** The host and ports that one `vpc_services` binding reaches, as a registered service has them (V-004, V-005). */
export interface ServiceStandIn {
  /** A name or an address, lower case, no brackets. */
  readonly host: string
  /** For `http:` URLs. */
  readonly httpPort?: number | undefined
  /** For `https:` URLs. */
  readonly httpsPort?: number | undefined
  /** For `connect()`. */
  readonly tcpPort?: number | undefined
}

/**
 * Whether a pattern means a host. A wildcard stands for one label, as in a certificate and in a hostname route (V-152).
 *
 * @param pattern and `host`: lower case or canonical, no brackets
 */
export function matchesHost(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === host
  const dot = host.indexOf('.')
  return dot > 0 && host.slice(dot) === pattern.slice(1)
}

/** Which of two entries that match says more: a host more than a wildcard, then a port more than none. */
function rank({ match }: HostStandIn): number {
  return (match.host.startsWith('*.') ? 0 : 2) + (match.port === undefined ? 0 : 1)
}

/**
 * Where a call to `host:port` goes instead. An entry for the host and the port wins over one for the host alone, which
 * wins over a wildcard with the port, which wins over a wildcard alone; the order in the file does not matter.
 *
 * @param host as the Worker used it: lower case or canonical, no brackets
 * @returns undefined where no entry matches: the call then goes where the network itself leads
 */
export function standInFor(
  network: Pick<NetworkStandIns, 'hosts'> | undefined,
  host: string,
  port: number,
): HostPort | undefined {
  let best: HostStandIn | undefined
  for (const entry of network?.hosts ?? []) {
    const { match } = entry
    if (match.port !== undefined && match.port !== port) continue
    if (matchesHost(match.host, host) && (best === undefined || rank(entry) > rank(best))) best = entry
  }
  return best === undefined ? undefined : { host: best.host, port: best.port ?? port }
}
