import { HawserError, resetStream, splice } from '@hawser/core'
import type { FetchCall } from '../http/fetch-call.ts'
import type { ConnectCall, FlowContext } from './context.ts'
import { FlowBytes } from './flow-bytes.ts'
import { asFlowError } from './flow-error.ts'
import { relayError } from './relay-error.ts'
import { joinUpgradable } from './relay-upgradable.ts'

/** A kept connection proved dead before the target answered, and the request may be sent again. */
export class StaleConnection extends HawserError {}

/**
 * Step 8, relay: move bytes until the call is over. For a CONNECT the Worker is told only now that its connection stands.
 *
 * @throws {HawserError} `connection_terminated` and the HTTP codes of V-040 for what the target did, `connection_aborted`
 * for what the Worker did; {@link StaleConnection} where another attempt is in order
 */
export function relay(context: FlowContext): Promise<void> {
  const { call, upgrade } = context
  if (call.kind === 'fetch') return forward(context, call)
  return upgrade === undefined ? join(context, call) : joinUpgradable(context, call, upgrade)
}

async function join(context: FlowContext, call: ConnectCall): Promise<void> {
  const { dialed, flow } = context
  if (dialed === undefined) throw new HawserError('proxy_internal_error', 'a step ran before the target was dialled')
  context.dialed = undefined // owned by the splice from here on
  const worker = call.accept()
  try {
    await splice(worker, dialed.channel ?? dialed.stream, new FlowBytes(flow), context.signal)
  } catch (error) {
    throw relayError(error, worker)
  }
}

async function forward(context: FlowContext, call: FetchCall): Promise<void> {
  const { upstream, flow } = context
  if (upstream === undefined) throw new HawserError('proxy_internal_error', 'a step ran before the target was dialled')
  context.upstream = undefined // in use from here on
  try {
    await call.forward(upstream, flow)
    context.binding.pool.give(upstream)
  } catch (error) {
    resetStream(upstream.stream)
    const reason = asFlowError(error, 'connection_terminated')
    if (upstream.uses > 1 && upstream.unanswered && call.repeatable && !context.aborted) {
      throw new StaleConnection(reason.code, reason.message, { cause: error })
    }
    throw reason
  }
}
