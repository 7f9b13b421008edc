import { defineCommand } from '../../command.ts'
import { apiFlags } from '../../control/api-access.ts'
import { formatTable } from '../../output.ts'
import { openRouteClients, vnetFlag } from './route-clients.ts'

/** `GET …/teamnet/routes` and `GET …/zerotrust/routes/hostname`, every page. */
export default defineCommand({
  name: 'route list',
  summary: 'List the routes of addresses, then those of names',
  flags: {
    ...apiFlags,
    vnet: { ...vnetFlag, help: 'only routes of addresses in this virtual network' },
    tunnel: { kind: 'string', help: 'only routes to this tunnel, by name or id' },
  },
  examples: ['hawser route list --data-dir ./edge', 'hawser route list --vnet site-b --json --data-dir ./edge'],
  async run({ flags, out, signal }) {
    const { routes, networks, tunnels } = await openRouteClients(flags, signal)
    const network = flags.vnet === undefined ? undefined : await networks.find(flags.vnet)
    const tunnel = flags.tunnel === undefined ? undefined : await tunnels.find(flags.tunnel)
    const found = await routes.list({ tunnelId: tunnel?.id, virtualNetworkId: network?.id })
    if (flags.json) return out.json(found)
    const rows = found.map((route) => [
      route.network ?? route.hostname ?? '',
      route.virtual_network_name ?? '(all)',
      route.tunnel_name,
      route.id,
      route.comment,
    ])
    for (const line of formatTable(['ROUTE', 'NETWORK', 'TUNNEL', 'ID', 'COMMENT'], rows)) out.line(line)
    return undefined
  },
})
