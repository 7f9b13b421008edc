import { isIP } from 'node:net'
import { formatHostPort, parseHostPort } from '@hawser/core'
import type { HostPort, TlsRule } from '@hawser/core'
import { judgeName, publicEgress } from '@hawser/policy'
import { matchesHost } from '@hawser/workers'
import type { HostStandIn, ServiceStandIn, WorkerConfig } from '@hawser/workers'
import { edgeOf, tokenFor } from '../dev/edge-dialers.ts'

/** One thing of `hawser.jsonc` that can be tried, or of which it can be said what happens without an entry. */
export interface PlannedCheck {
  readonly binding: string
  /** Where it stands in the file: `networks.MY_VPC.hosts['db.internal:5432']`. */
  readonly key: string
  /** What is reached instead; undefined where there is no entry. The port is undefined where it is that of the call. */
  readonly target?: { readonly host: string; readonly port?: number | undefined } | undefined
  /** What the Worker calls it, by which certificates are judged; `any` for a service, where the URL decides (V-026). */
  readonly tls?: HostPort | 'any' | undefined
  /** Said where nothing can be tried. */
  readonly remark?: string | undefined
}

const HTTPS_PORT = 443
const PUBLIC = publicEgress({ ownListeners: () => [] })
const PORT_OF_CALL = 'on the port that the Worker names'

function isFor(rule: TlsRule, { host, port }: HostPort): boolean {
  return matchesHost(rule.host, host) && (rule.port === undefined || rule.port === port)
}

/** TLS is tried where a rule expects it, or the port does. A wildcard has no one name to be judged by. */
function tlsOf({ match }: HostStandIn, port: number | undefined, rules: readonly TlsRule[]): HostPort | undefined {
  if (port === undefined || match.host.startsWith('*.')) return undefined
  const name = { host: match.host, port: match.port ?? port }
  return name.port === HTTPS_PORT || rules.some((rule) => isFor(rule, name)) ? name : undefined
}

function planHost(binding: string, entry: HostStandIn, rules: readonly TlsRule[]): PlannedCheck {
  const port = entry.port ?? entry.match.port
  return {
    binding,
    key: `networks.${binding}.hosts['${entry.written}']`,
    target: { host: entry.host, port },
    tls: tlsOf(entry, port, rules),
  }
}

/** A public host. What production refuses to reach is refused with a stand-in too. */
function planPublicHost(entry: HostStandIn, rules: readonly TlsRule[]): PlannedCheck {
  const key = `egress.hosts['${entry.written}']`
  const { host, port } = entry.match
  const verdict = isIP(host) === 0 ? judgeName(host) : PUBLIC.judge([host], port ?? HTTPS_PORT).verdict
  const refused = verdict.allowed && port !== undefined ? PUBLIC.judgePort(port) : verdict
  if (refused.allowed) return { ...planHost('egress', entry, rules), key }
  const remark = `not used: as in production, a Worker may not reach it (${refused.rule}). A private host belongs under "networks"`
  return { binding: 'egress', key, remark }
}

/** Whether it lets this client in, and to what, shows only in a call. */
function planEdge(binding: string, edge: string): PlannedCheck {
  const key = `networks.${binding}.token`
  return { binding, key, target: parseHostPort(edge, key) }
}

function planService(binding: string, { host, ...ports }: ServiceStandIn): PlannedCheck[] {
  const key = `services.${binding}`
  const given = (['httpPort', 'httpsPort', 'tcpPort'] as const).flatMap((name): PlannedCheck[] => {
    const port = ports[name]
    if (port === undefined) return []
    return [{ binding, key: `${key}.${name}`, target: { host, port }, tls: name === 'httpsPort' ? 'any' : undefined }]
  })
  if (given.length > 0) return given
  return [{ binding, key, target: { host }, remark: 'no port is given, so nothing of it can be reached' }]
}

/** Everything there is to try of a Worker's stand-ins, and one item for each binding that has none. */
export function planChecks({ networks, services, standIns, tls }: WorkerConfig): PlannedCheck[] {
  const planned = standIns.egress.hosts.map((entry) => planPublicHost(entry, tls))
  for (const { binding } of networks) {
    const { hosts = [], token } = standIns.networks[binding] ?? {}
    planned.push(...hosts.map((entry) => planHost(binding, entry, tls)))
    const written = tokenFor(binding, token)
    if (written !== undefined) planned.push(planEdge(binding, edgeOf(written)))
    const rest = hosts.length === 0 ? 'every host' : 'every other host'
    const where =
      written === undefined ? `this machine, ${PORT_OF_CALL}` : 'in the real network, through the edge of the token'
    planned.push({ binding, key: `networks.${binding}`, remark: `${rest} is ${where}` })
  }
  for (const { binding } of services) {
    const standIn = standIns.services[binding]
    if (standIn !== undefined) planned.push(...planService(binding, standIn))
    else planned.push({ binding, key: `services.${binding}`, remark: `no entry: it is this machine, ${PORT_OF_CALL}` })
  }
  return planned
}

/** `127.0.0.1:5432`, or the host alone. */
export function formatTarget({ host, port }: NonNullable<PlannedCheck['target']>): string {
  return port === undefined ? host : formatHostPort({ host, port })
}
