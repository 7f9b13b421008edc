import { HawserError, RESERVED_SUFFIX } from '@hawser/core'
import type { FlowTarget } from '@hawser/core'
import { EgressRefusal, judgeName, parseHost, refusalCode } from '@hawser/policy'
import { Memo } from '../memo.ts'
import type { FlowContext } from './context.ts'
import { serviceOf } from './service-target.ts'

const hosts = new Memo(parseHost)

/** The key under which a connection to this target is kept; see UpstreamPool. */
export function originKey(tls: boolean, host: string, port: number): string {
  return tls ? `https://${host}:${port}` : `http://${host}:${port}`
}

/** Under TLS a connection stands for the name that was verified; in clear text, for what was dialled. */
export function poolKey({ host, port, tls, name = host }: FlowTarget): string {
  return originKey(tls, tls ? name : host, port)
}

/** The IP of `ip:port` or `[ip]:port`. */
function ipOf(remoteAddress: string): string {
  return remoteAddress.slice(0, remoteAddress.lastIndexOf(':')).replace(/^\[|\]$/g, '')
}

/** What may be refused before any resolver is asked. */
function refuseEarly(context: FlowContext, name: string | undefined, port: number): void {
  const { egress, relaxed } = context.services
  const ofPort = egress.judgePort(port)
  const anyName = name === undefined || relaxed?.has('blocked-addresses') === true
  const verdict = ofPort.allowed && !anyName ? judgeName(name) : ofPort
  if (verdict.allowed) return
  context.flow.verdict = verdict
  throw new EgressRefusal(verdict, `${context.flow.requested} may not be reached from here (${verdict.rule})`)
}

/**
 * Step 2, target: what host and port is meant? On a tunnel's network the name travels to the connector, which resolves it
 * (V-066); literals go there in canonical form, so that no spelling means one thing here and another there. A public name
 * is resolved here and only here: what follows judges and dials these addresses, with no second look-up between (DNS
 * rebinding). A kept connection stands for the address it leads to, judged anew. A name that something stands in for is not
 * resolved, and an address is judged as it was written. A VPC Service is its registered host and
 * port whatever the call says (V-025).
 *
 * @throws {HawserError} `address_invalid`, `destination_not_found` for the edge's own names and for services, `dns_error`, `dns_timeout`,
 * `connection_aborted`; for public egress the refusals of `judgePort` and `judgeName` too
 */
export function target(context: FlowContext): void | Promise<void> {
  const { call, flow, binding } = context
  const written = call.kind === 'fetch' ? call.url.origin : call
  const tls = call.kind === 'fetch' ? call.url.origin.tls : call.operation === 's'
  const parsed = hosts.get(written.host)
  const host = parsed.kind === 'ip' ? parsed.ip : parsed.name
  const isPublic = flow.network.kind === 'public'
  const service = flow.network.kind === 'service' ? serviceOf(context, flow.network.serviceId) : undefined
  const { port } = service ?? written
  flow.target = service === undefined ? { host, port, tls } : { ...service, tls, name: host }
  if (host === RESERVED_SUFFIX.slice(1) || host.endsWith(RESERVED_SUFFIX)) {
    throw new HawserError('destination_not_found', `${flow.requested}: names under ${RESERVED_SUFFIX} lead nowhere`)
  }
  if (call.kind === 'connect' && call.operation === 't') {
    // One that has found its connection is part of that one's flow.
    throw new HawserError('tls_protocol_error', `${flow.requested}: there is no connection to upgrade to TLS`)
  }
  if (port < 1) throw new HawserError('address_invalid', `${flow.requested}: expected a port of 1 to 65535`)
  if (isPublic) refuseEarly(context, parsed.kind === 'name' ? host : undefined, port)

  if (call.kind === 'fetch' && context.mayReuse && call.head.fields.upgrade === undefined) {
    context.upstream = binding.pool.take(poolKey(flow.target))
  }
  if (!isPublic) return undefined
  context.standIn = context.services.resolver?.standIn?.(binding.identity, flow.target)
  if (context.standIn !== undefined && parsed.kind === 'name') return undefined
  const kept = context.upstream?.facts.route.remoteAddress
  if (parsed.kind === 'ip') flow.target = { host, port, tls, addresses: [host] }
  else if (kept !== undefined) flow.target = { host, port, tls, addresses: [ipOf(kept)] }
  else return resolveInto(context, host)
  return undefined
}

async function resolveInto(context: FlowContext, name: string): Promise<void> {
  const addresses = await context.services.resolve(name, context.signal)
  context.throwIfAborted()
  if (addresses.length === 0) throw new HawserError(refusalCode('no-address'), `${name} has no addresses`)
  const { port, tls } = context.target
  context.flow.target = { host: name, port, tls, addresses }
}
