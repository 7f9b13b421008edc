import type { Duplex } from 'node:stream'
import { HawserError } from '@hawser/core'
import { Upstream } from '../http/upstream.ts'
import type { FlowContext } from './context.ts'
import { asFlowError } from './flow-error.ts'
import { verificationOf } from './service-target.ts'
import { poolKey } from './target.ts'

/** What an edge speaks to the targets of `https:` URLs. A connection offers nothing (S-150). */
const HTTP_ALPN: readonly string[] = ['http/1.1']

/**
 * Step 7, secure: TLS to the target, for `https:` URLs and for connections that ask for it, as the binding's rules say and
 * else with full verification of the name that the Worker used (V-036, S-150). What was dialled becomes an HTTP connection
 * here, if the call is a fetch.
 *
 * @throws {HawserError} `tls_certificate_error`, `tls_protocol_error`, `connection_aborted`
 */
export function secure(context: FlowContext): void | Promise<void> {
  if (context.upstream !== undefined) {
    const { tls } = context.upstream.facts
    if (tls !== undefined) context.flow.tls = tls
    return undefined
  }
  if (context.target.tls) return handshake(context)
  makeUpstream(context)
  return undefined
}

/** A fetch speaks HTTP over what was dialled, and may keep it for the next one. */
function makeUpstream(context: FlowContext): void {
  const { call, flow, dialed, target } = context
  if (call.kind !== 'fetch' || dialed === undefined || flow.route === undefined) return
  const origin = poolKey(target)
  context.upstream = new Upstream(dialed.stream, { origin, route: flow.route, tls: flow.tls, way: context.dialer })
  context.dialed = undefined
}

async function handshake(context: FlowContext): Promise<void> {
  const { dialed } = context
  if (dialed === undefined) throw new HawserError('proxy_internal_error', 'a step ran before the target was dialled')
  context.dialed = undefined // owned by the handshake while that lasts
  context.dialed = { ...dialed, channel: undefined, stream: await secureStream(context, dialed.stream) }
  makeUpstream(context)
}

/**
 * The target's connection under TLS; also for an upgrade, later than this step. Takes ownership of `raw`.
 *
 * @param name what the certificate must be for, unless a rule says otherwise. @default the target's host
 * @throws {HawserError} as {@link secure}
 */
export async function secureStream(context: FlowContext, raw: Duplex, name?: string): Promise<Duplex> {
  const { binding, call, flow, services, signal, target } = context
  const { port } = target
  const host = target.name ?? target.host // rules are by the name that the Worker used
  const timeoutMs = services.limits.handshakeTimeoutMs
  const alpn = call.kind === 'fetch' ? HTTP_ALPN : undefined
  const verify = verificationOf(context)
  try {
    const { stream, tls } = await binding.tls.secure(raw, { host, port, name, alpn, verify, timeoutMs, signal })
    flow.tls = tls
    return stream
  } catch (error) {
    throw asFlowError(error, 'tls_protocol_error')
  }
}
