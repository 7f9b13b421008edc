import { HawserError } from '@hawser/core'
import { defineCommand } from '../../command.ts'
import { apiFlags } from '../../control/api-access.ts'
import type { NetworkRow } from '../../control/networks-client.ts'
import { formatTable } from '../../output.ts'
import { openRouteClients, vnetFlag } from './route-clients.ts'
import type { RouteClients } from './route-clients.ts'

/** As the default network is called does not matter. */
async function networkOf(networks: RouteClients['networks'], name: string | undefined): Promise<NetworkRow> {
  if (name !== undefined) return networks.find(name)
  const found = (await networks.list()).find((network) => network.is_default_network)
  if (found === undefined) throw new HawserError('not_found', 'there is no default virtual network')
  return found
}

/** Nothing is sent to the host: what is told is what the directory says, and which connectors are there now. */
export default defineCommand({
  name: 'route explain',
  summary: 'Say which route a host takes, which others hold it, and whether the tunnel has a connector',
  positionals: [{ name: 'host', help: 'an address or a name, without a port' }],
  flags: { ...apiFlags, vnet: vnetFlag },
  examples: ['hawser route explain 10.0.1.50 --data-dir ./edge', 'hawser route explain db.internal --data-dir ./edge'],
  async run({ args, flags, out, signal }) {
    const { parseHost } = await import('@hawser/policy')
    const parsed = parseHost(args.host)
    const host = parsed.kind === 'ip' ? parsed.ip : parsed.name
    const { routes, networks, tunnels } = await openRouteClients(flags, signal)
    const network = await networkOf(networks, flags.vnet)
    const holding = await routes.holding(host, network.id)
    const [best] = holding
    if (best === undefined) {
      const kind = parsed.kind === 'ip' ? `route of virtual network ${network.name}` : 'hostname route'
      throw new HawserError('not_found', `no ${kind} leads to ${host}; hawser route list shows what there is`)
    }
    const connectors = await tunnels.connectors(best.tunnel_id)
    if (flags.json) return out.json({ host, virtual_network: network.name, routes: holding, connectors })
    out.line(`${host} takes ${best.network ?? best.hostname} to tunnel ${best.tunnel_name}`)
    out.line(
      connectors.length === 0
        ? `No connector runs tunnel ${best.tunnel_name} now: calls would fail. Start one: hawser connector run`
        : `${connectors.length} connector(s) run it now`,
    )
    if (holding.length === 1) return undefined
    out.line()
    const rows = holding.map((route) => [route.network ?? route.hostname ?? '', route.tunnel_name, route.comment])
    for (const line of formatTable(['HOLDS IT', 'TUNNEL', 'COMMENT'], rows)) out.line(line)
    return undefined
  },
})
