import type { Duplex } from 'node:stream'
import { HawserError, resetStream, splice } from '@hawser/core'
import type { FetchCall } from '../http/fetch-call.ts'
import type { ConnectCall, FlowContext } from './context.ts'
import { FlowBytes } from './flow-bytes.ts'
import { asFlowError } from './flow-error.ts'

/** A kept connection proved dead before the target answered, and the request may be sent again. */
export class StaleConnection extends HawserError {}

/**
 * Step 8, relay: move bytes until the call is over. For a CONNECT the Worker is told only now that its connection stands.
 *
 * @throws {HawserError} `connection_terminated` and the HTTP codes of V-040 for what the target did, `connection_aborted`
 * for what the Worker did; {@link StaleConnection} where another attempt is in order
 */
export function relay(context: FlowContext): Promise<void> {
  return context.call.kind === 'fetch' ? forward(context, context.call) : join(context, context.call)
}

async function join(context: FlowContext, call: ConnectCall): Promise<void> {
  const { dialed, flow } = context
  if (dialed === undefined) throw new HawserError('proxy_internal_error', 'a step ran before the target was dialled')
  context.dialed = undefined // owned by the splice from here on
  const worker = call.accept()
  try {
    await splice(worker, dialed.stream, new FlowBytes(flow), context.signal)
  } catch (error) {
    throw relayError(error, worker)
  }
}

/** Which of the two ends failed is what tells an abort from an error. */
function relayError(error: unknown, worker: Duplex): HawserError {
  if (HawserError.is(error)) return asFlowError(error, 'connection_terminated')
  const reason = error instanceof Error ? error.message : String(error)
  const byWorker = worker.errored !== null && worker.errored === error
  return byWorker
    ? new HawserError('connection_aborted', `the Worker gave the connection up: ${reason}`, { cause: error })
    : new HawserError('connection_terminated', `the target ended the connection: ${reason}`, { cause: error })
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
