import { HawserError, resetStream } from '@hawser/core'
import type { FlowContext } from './context.ts'

/**
 * Step 6, dial: open it. Knows nothing but the Dialer interface; nothing is left to do where a kept connection serves.
 *
 * @throws {HawserError} a code of V-040, `connection_aborted`
 */
export function dial(context: FlowContext): void | Promise<void> {
  return context.upstream === undefined ? open(context) : undefined
}

async function open(context: FlowContext): Promise<void> {
  const { flow, dialer, services } = context
  if (dialer === undefined || flow.route === undefined) {
    throw new HawserError('proxy_internal_error', 'a step ran before the route was known')
  }
  const { host, port } = context.target
  const request = { host, port, flowId: flow.id, timeoutMs: services.limits.dialTimeoutMs }
  const dialed = await dialer.dial(request, context.signal)
  dialed.stream.on('error', ignore) // between two owners an error must not go uncaught; the stream is destroyed by it
  context.dialed = dialed
  const { via, tunnelId, connectorId } = flow.route
  const { remoteAddress } = dialed
  flow.route = { via, tunnelId, connectorId: dialed.connectorId ?? connectorId, remoteAddress }
  try {
    context.throwIfAborted()
  } catch (error) {
    resetStream(dialed.stream)
    throw error
  }
}

function ignore(): void {}
