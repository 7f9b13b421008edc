import { HawserError } from '@hawser/core'
import type { BindingWay, FlowRoute } from '@hawser/core'
import type { FlowContext } from './context.ts'

/**
 * Step 5, route: which way? Public targets directly, a tunnel's targets over the best of the tunnel's connections; of a
 * network that spans several ways, its routes decide which. A kept connection has its way already, unless the routes have
 * changed since it was made.
 *
 * @throws {HawserError} `destination_unavailable`, saying whether the tunnel is unknown, deleted or without a connector;
 * `destination_not_found` for a network that nobody knows, and where no route leads to the target
 */
export function route(context: FlowContext): void | Promise<void> {
  const { flow, services } = context
  const { kind } = flow.network
  if (kind === 'public' || (kind === 'tunnel' && context.upstream !== undefined)) return keepOrGoDirectly(context)
  const way = wayOf(context)
  if (context.upstream !== undefined) {
    const kept = context.upstream.facts.route
    if (leadsThere(kept, way)) {
      flow.route = kept
      return undefined
    }
    context.upstream.abort()
    context.upstream = undefined
  }
  if (way.kind !== 'tunnel') {
    flow.route = { via: way.kind }
    context.dialer = way.dialer
    return undefined
  }
  const { tunnelId, matched } = way
  const connection = services.tunnels.pick(tunnelId, undefined, flow.target)
  flow.route = { via: 'tunnel', tunnelId, matched, connectorId: connection?.connector.id }
  context.dialer = connection
  context.alternative = (tried) => services.tunnels.pick(tunnelId, tried, flow.target)
  return connection === undefined ? failWithReason(context, tunnelId) : undefined
}

/** Nothing is looked up where there is but one way. */
function keepOrGoDirectly(context: FlowContext): void {
  const { flow, services, standIn } = context
  if (context.upstream !== undefined) {
    flow.route = context.upstream.facts.route
    return
  }
  flow.route = { via: standIn === undefined ? 'direct' : 'local' }
  context.dialer = standIn ?? services.directDialer(flow.target?.addresses ?? [])
}

function leadsThere(kept: FlowRoute, way: BindingWay): boolean {
  return kept.via === way.kind && (way.kind !== 'tunnel' || kept.tunnelId === way.tunnelId)
}

/** A tunnel leads where it says, unless somebody stands in for it. */
function wayOf({ binding, flow, services, target }: FlowContext): BindingWay {
  const { network } = flow
  const way = services.resolver?.way(binding.identity, network, target)
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
