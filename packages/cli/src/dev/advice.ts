import { formatHostPort } from '@hawser/core'
import type { FlowRecord, HawserError } from '@hawser/core'
import { relaxableRule } from '@hawser/edge/local'
import type { WorkerConfig } from '@hawser/workers'

/** What to tell a developer about a call that production would have refused too, or that found nobody here. */
export interface Advice {
  /** What was broken: a rule of production's, or the code of the failure. */
  readonly rule: string
  /** What tells this advice from others, so that it is given once. */
  readonly key: string
  readonly message: string
}

/** Nobody answers where a target is looked for. */
const UNANSWERED: ReadonlySet<string> = new Set([
  'connection_refused',
  'connection_timeout',
  'destination_ip_unroutable',
  'dns_error',
  'dns_timeout',
])

/** How production words a refusal, by what was called (V-301 to V-303). */
function refusalOf(flow: FlowRecord): string {
  const { rule = '' } = flow.verdict ?? {}
  if (flow.kind === 'fetch') return 'answers 403 with "error code: 1003"'
  if (rule.endsWith('blocked-port/25')) return 'throws "Connections to port 25 are prohibited"'
  if (rule.endsWith('own-listener')) return 'throws "TCP Loop detected"'
  return 'throws "proxy request failed, cannot connect to the specified address"'
}

function reasonOf(rule: string): string {
  if (rule.endsWith('blocked-port/25')) return 'port 25 is closed to Workers'
  if (rule.endsWith('own-listener')) return 'the address is the Worker itself'
  const [, kind = ''] = /blocked-\w+\/(.+)$/.exec(rule) ?? []
  return `the global connect(), node:net and fetch() reach public addresses only, and this one is ${kind}`
}

/** What to write where, if the target is meant to be reached. */
function remedyOf(flow: FlowRecord, config: WorkerConfig | undefined): string {
  const { host = '', port = 0 } = flow.target ?? {}
  const place = formatHostPort({ host, port })
  const [network] = config?.networks ?? []
  if (network === undefined) {
    return (
      `To reach it, bind its network in the wrangler file, "vpc_networks": [{ "binding": "PRIVATE", "tunnel_id": "…" }], and ` +
      (flow.kind === 'fetch' ? 'call env.PRIVATE.fetch().' : 'write { "egress": "PRIVATE" } in hawser.jsonc.')
    )
  }
  const { binding } = network
  const hosts = `{ "networks": { "${binding}": { "hosts": { "${place}": "127.0.0.1:${port}" } } } }`
  if (flow.kind === 'fetch') return `To reach it, call env.${binding}.fetch(); where it is: ${hosts} in hawser.jsonc.`
  return `To reach it through ${binding}, write { "egress": "${binding}" } in hawser.jsonc; where it is: ${hosts}.`
}

/** A public host that does not answer from here: offline, or one that stands for something of production's. */
function ofUnanswered(flow: FlowRecord, config: WorkerConfig | undefined): Advice | undefined {
  const { code, message } = flow.error ?? {}
  if (code === undefined || !UNANSWERED.has(code)) return undefined
  const { host = '', port = 0 } = flow.target ?? {}
  const place = formatHostPort({ host, port })
  const binding = config?.egress === undefined ? '' : `"binding": "${config.egress.binding}", `
  const entry = `{ "egress": { ${binding}"hosts": { "${place}": "127.0.0.1:${port}" } } }`
  const isStandIn = flow.verdict?.rule === 'stand-in'
  const remedy = isStandIn
    ? 'Start it, or correct the entry under "egress" in hawser.jsonc.'
    : `To have something on this machine in its place: ${entry} in hawser.jsonc.`
  return { rule: code, key: `${code} ${flow.requested}`, message: `${message}\n${remedy}` }
}

function ofPublicFlow(flow: FlowRecord, config: WorkerConfig | undefined): Advice | undefined {
  const { rule = '', allowed = true } = flow.verdict ?? {}
  const lifted = rule.startsWith('relaxed/')
  const relaxable = relaxableRule(lifted ? rule.slice('relaxed/'.length) : rule)
  if (relaxable === undefined || (allowed && !lifted)) return ofUnanswered(flow, config)
  const refusal = refusalOf(flow)
  const first = lifted
    ? `In production ${flow.kind}() to ${flow.requested} ${refusal}: ${reasonOf(rule)} (allowed here by --relaxed=${relaxable}).`
    : `As in production, ${flow.kind}() to ${flow.requested} ${refusal}: ${reasonOf(rule)} (${rule}).`
  const last = lifted ? '' : `\nTo try without the rule: --relaxed=${relaxable}.`
  const isAddress = relaxable === 'blocked-addresses'
  return {
    rule,
    key: `${rule} ${flow.requested}`,
    message: `${first}${isAddress ? `\n${remedyOf(flow, config)}` : ''}${last}`,
  }
}

function ofPrivateFlow(flow: FlowRecord, config: WorkerConfig | undefined): Advice | undefined {
  const { code, message } = flow.error ?? {}
  const { host = '', port = 0, name = host } = flow.target ?? {}
  if (code === undefined) return undefined
  const key = `${code} ${flow.binding} ${flow.requested}`
  if (code === 'tls_certificate_error') {
    const entry = `{ "tls": [{ "match": "${formatHostPort({ host: name, port })}", "ca": "ca.pem" }] }`
    return {
      rule: code,
      key,
      message: `${message}\nCertificates are judged by the name that the Worker used. For a CA of your own: ${entry} in hawser.jsonc.`,
    }
  }
  const isElsewhere = flow.route?.via === 'edge'
  if (!UNANSWERED.has(code) && !isElsewhere) return undefined
  const isService = config?.services.some(({ binding }) => binding === flow.binding) === true
  const isNetwork = config?.networks.some(({ binding }) => binding === flow.binding) === true
  const network = isNetwork ? flow.binding : (config?.egress?.binding ?? flow.binding)
  const entry = isService
    ? `{ "services": { "${flow.binding}": { "host": "127.0.0.1", … } } }`
    : `{ "networks": { "${network}": { "hosts": { "${formatHostPort({ host, port })}": "127.0.0.1:${port}" } } } }`
  const remedy = isElsewhere
    ? `${network} is the real network, through the edge of its token. To have something on this machine in its place:`
    : 'Start it, or say where it is:'
  return { rule: code, key, message: `${message}\n${remedy} ${entry} in hawser.jsonc.` }
}

/** Undefined where there is nothing to say. */
export function adviceOnFlow(flow: FlowRecord, config: WorkerConfig | undefined): Advice | undefined {
  return flow.network.kind === 'public' ? ofPublicFlow(flow, config) : ofPrivateFlow(flow, config)
}

/** A connection that waits for others of its invocation. */
export function adviceOnQueue(flow: FlowRecord, limit: number): Advice {
  return {
    rule: 'connections',
    key: `connections ${flow.binding}`,
    message:
      `As in production, a Worker has at most ${limit} connections open in one invocation: connect() to ${flow.requested} waits until one of them closes.\n` +
      'Close what is no longer needed. To try without the rule: --relaxed=connections, or { "limits": { "connections": 0 } } in hawser.jsonc.',
  }
}

/** On a Worker with crons: nothing calls them at their times here, and how to do it by hand. */
export function adviceOnCrons(url: string, [cron]: readonly string[]): Advice | undefined {
  if (cron === undefined) return undefined
  const query = new URLSearchParams({ cron }).toString()
  return {
    rule: 'crons',
    key: 'crons',
    message: `Crons do not run by themselves here. By hand: curl '${url}/cdn-cgi/handler/scheduled?${query}'`,
  }
}

const GLOBAL_SCOPE = 'Disallowed operation called within global scope'

/** On a Worker that does not start; undefined where what was said says it all. */
export function adviceOnFailure(error: HawserError): string | undefined {
  if (!error.message.includes(GLOBAL_SCOPE)) return undefined
  return 'Production refuses such a Worker when it is deployed: open connections in a handler, not while the module is loaded.'
}
