import { HawserError, resetStream } from '@hawser/core'
import type { Dialed, Dialer } from '@hawser/core'
import type { FlowContext } from './context.ts'
import { asFlowError, isTunnelError } from './flow-error.ts'

/** A dialer keeps to the limit it is given; one that does not answer at all is given up this much later. */
const OVERTIME_MS = 2_000

/**
 * Step 6, dial: open it. Knows nothing but the Dialer interface; nothing is left to do where a kept connection serves. A
 * connector that is leaving or has just died costs nothing while another one is there: dialling has no effect that could
 * not be had twice.
 *
 * @throws {HawserError} a code of V-040, `connection_aborted`
 */
export function dial(context: FlowContext): void | Promise<void> {
  return context.upstream === undefined ? open(context) : undefined
}

async function open(context: FlowContext): Promise<void> {
  const { flow } = context
  const dialed = await dialAny(context)
  dialed.stream.on('error', ignore) // between two owners an error must not go uncaught; the stream is destroyed by it
  context.dialed = dialed
  if (flow.route === undefined) throw new HawserError('proxy_internal_error', 'a step ran before the route was known')
  const { via, tunnelId, connectorId } = flow.route
  flow.route = { via, tunnelId, connectorId: dialed.connectorId ?? connectorId, remoteAddress: dialed.remoteAddress }
  if (context.aborted) resetStream(dialed.stream)
  context.throwIfAborted()
}

async function dialAny(context: FlowContext): Promise<Dialed> {
  let tried: Set<Dialer> | undefined
  for (let { dialer } = context; dialer !== undefined;) {
    try {
      return await dialOne(context, dialer)
    } catch (error) {
      context.throwIfAborted() // its reason says more than what the dialer made of it
      if (!isTunnelError(error)) throw HawserError.from(error, 'proxy_internal_error')
      tried = (tried ?? new Set()).add(dialer)
      dialer = context.alternative?.(tried)
      if (dialer === undefined) throw asFlowError(error, 'destination_unavailable')
    }
  }
  throw new HawserError('proxy_internal_error', 'a step ran before the route was known')
}

async function dialOne(context: FlowContext, dialer: Dialer): Promise<Dialed> {
  const { flow, target, services } = context
  const { host, port } = target
  const timeoutMs = services.limits.dialTimeoutMs
  const timer = setTimeout(() => {
    context.abort(new HawserError('connection_timeout', `${flow.requested}: no answer in ${timeoutMs} ms`))
  }, timeoutMs + OVERTIME_MS)
  try {
    return await dialer.dial({ host, port, flowId: flow.id, timeoutMs }, context.signal)
  } finally {
    clearTimeout(timer)
  }
}

function ignore(): void {}
