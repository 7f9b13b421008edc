import { HawserError } from '@hawser/core'
import type { FlowContext } from './context.ts'

/** Of connections that one invocation may have open at once (V-300). */
const DEFAULT_CONNECTION_LIMIT = 6
/** So much of a call's id names the invocation that makes it. */
const INVOCATION_LENGTH = 12

/**
 * Step 3, admit: is there room? Every binding has a number of calls it may have under way; and an invocation of the Worker
 * a number of connections it may have open, through all its bindings together: one more waits here until one has closed.
 *
 * @throws {HawserError} `connection_limit_reached`, `connection_aborted` where the Worker gives up waiting
 */
export function admit(context: FlowContext): void | Promise<void> {
  if (context.admitted) return undefined // a second attempt of the same call
  const { maxOpenFlows } = context.services.limits
  const { open, identity } = context.binding
  if (open.size >= maxOpenFlows) {
    throw new HawserError(
      'connection_limit_reached',
      `${identity.binding} already has ${open.size} calls under way; at most ${maxOpenFlows} are allowed`,
    )
  }
  context.admitted = true
  context.services.recorder.counters.open += 1
  open.add(context) // also while it waits: whoever ends the binding's calls ends this one
  return enterInvocation(context)
}

/** Nothing to do for calls that do not say which invocation makes them: requests, and CONNECT without a module. */
function enterInvocation(context: FlowContext): void | Promise<void> {
  const { call, services } = context
  const { worker, connectionLimit = DEFAULT_CONNECTION_LIMIT } = context.binding.identity
  if (connectionLimit === 0 || call.kind !== 'connect') return undefined
  const { callId = '' } = call
  if (callId.length < INVOCATION_LENGTH) return undefined
  const invocation = callId.slice(0, INVOCATION_LENGTH)
  const { invocations } = services
  const entered = (): void => {
    context.leave = () => invocations.leave(worker, invocation)
  }
  const waiting = invocations.enter(worker, invocation, connectionLimit, () => context.signal)
  if (waiting !== undefined) {
    services.onQueued?.(context.flow)
    return waiting.then(entered)
  }
  entered()
  return undefined
}
