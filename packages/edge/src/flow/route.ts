import type { FlowContext } from './context.ts'

/**
 * Step 5, route: which way? Public targets directly, a tunnel's targets over that connection of the tunnel which carries
 * the fewest streams. A kept connection has its way already.
 *
 * @throws {HawserError} `destination_unavailable`, saying whether the tunnel is unknown, deleted or without a connector
 */
export function route(context: FlowContext): void | Promise<void> {
  const { flow, services } = context
  if (context.upstream !== undefined) {
    flow.route = context.upstream.facts.route
    return undefined
  }
  if (flow.network.kind === 'public') {
    flow.route = { via: 'direct' }
    context.dialer = services.directDialer(flow.target?.addresses ?? [])
    return undefined
  }
  const { tunnelId } = flow.network
  const connection = services.tunnels.pick(tunnelId)
  flow.route = { via: 'tunnel', tunnelId, connectorId: connection?.connector.id }
  context.dialer = connection
  context.alternative = (tried) => services.tunnels.pick(tunnelId, tried)
  return connection === undefined ? failWithReason(context, tunnelId) : undefined
}

async function failWithReason(context: FlowContext, tunnelId: string): Promise<never> {
  throw await context.services.tunnels.explain(tunnelId)
}
