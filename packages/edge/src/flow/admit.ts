import { HawserError } from '@hawser/core'
import type { FlowContext } from './context.ts'

/**
 * Step 3, admit: is there room? Every binding has a number of calls it may have under way. The limit that the vendor sets
 * on one invocation, six connections (V-300), belongs here too once a call can say which invocation made it.
 *
 * @throws {HawserError} `connection_limit_reached`
 */
export function admit(context: FlowContext): void {
  if (context.admitted) return // a second attempt of the same call
  const { maxOpenFlows } = context.services.limits
  const { open, identity } = context.binding
  if (open.size >= maxOpenFlows) {
    throw new HawserError(
      'connection_limit_reached',
      `${identity.binding} already has ${open.size} calls under way; at most ${maxOpenFlows} are allowed`,
    )
  }
  context.admitted = true
  open.add(context)
}
