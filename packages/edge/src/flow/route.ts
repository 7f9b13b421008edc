import { HawserError } from '@hawser/core'
import type { BindingWay } from '@hawser/core'
import type { FlowContext } from './context.ts'

/**
 * Step 5, route: which way? Public targets directly, a tunnel's targets over that connection of the tunnel which carries
 * the fewest streams. A kept connection has its way already.
 *
 * @throws {HawserError} `destination_unavailable`, saying whether the tunnel is unknown, deleted or without a connector;
 * `destination_not_found` for a network that nobody knows
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
  const way = wayOf(context)
  if (way.kind === 'local') {
    flow.route = { via: 'local' }
    context.dialer = way.dialer
    return undefined
  }
  const { tunnelId } = way
  const connection = services.tunnels.pick(tunnelId)
  flow.route = { via: 'tunnel', tunnelId, connectorId: connection?.connector.id }
  context.dialer = connection
  context.alternative = (tried) => services.tunnels.pick(tunnelId, tried)
  return connection === undefined ? failWithReason(context, tunnelId) : undefined
}

/** A tunnel leads where it says, unless somebody stands in for it. */
function wayOf({ binding, flow, services }: FlowContext): BindingWay {
  const { network } = flow
  const way = services.resolver?.way(binding.identity, network)
  if (way !== undefined) return way
  if (network.kind === 'tunnel') return network
  throw new HawserError(
    'destination_not_found',
    `${flow.requested}: nothing is known of the network of ${flow.binding}`,
  )
}

async function failWithReason(context: FlowContext, tunnelId: string): Promise<never> {
  throw await context.services.tunnels.explain(tunnelId)
}
