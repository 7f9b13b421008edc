import { HawserError } from '@hawser/core'
import { defineCommand } from '../../command.ts'
import { apiFlags } from '../../control/api-access.ts'
import { isBlock } from '../../control/routes-client.ts'
import { openRouteClients, vnetFlag } from './route-clients.ts'

/** `POST …/teamnet/routes`, or `POST …/zerotrust/routes/hostname` for a name. */
export default defineCommand({
  name: 'route add',
  summary: 'Send addresses or names of a network through a tunnel',
  description:
    'For bindings with a "network_id", whose routes decide which tunnel a call takes: of addresses the longest prefix, of names ' +
    'the name itself before the wildcard. A binding with a "tunnel_id" needs no routes. Routes are in force within a second; ' +
    'connections that are open stay.',
  positionals: [
    { name: 'route', help: 'a block such as 10.0.0.0/16, an address, or a name such as db.internal or *.internal' },
    { name: 'tunnel', help: 'name or id of the tunnel' },
  ],
  flags: { ...apiFlags, vnet: vnetFlag, comment: { kind: 'string', help: 'what it is for' } },
  examples: [
    'hawser route add 10.0.0.0/16 lab --data-dir ./edge',
    'hawser route add 10.0.0.0/16 plant-b --vnet site-b --data-dir ./edge',
    "hawser route add '*.svc.internal' lab --data-dir ./edge",
  ],
  async run({ args, flags, out, signal }) {
    if (flags.vnet !== undefined && !isBlock(args.route)) {
      throw new HawserError(
        'options_invalid',
        '--vnet is for addresses: a hostname route holds in every virtual network',
      )
    }
    const { routes, networks, tunnels } = await openRouteClients(flags, signal)
    const network = flags.vnet === undefined ? undefined : await networks.find(flags.vnet)
    const tunnel = await tunnels.find(args.tunnel)
    const route = await routes.add(args.route, tunnel.id, network?.id, flags.comment)
    if (flags.json) return out.json(route)
    const within = route.virtual_network_name === undefined ? '' : ` in virtual network ${route.virtual_network_name}`
    return out.line(`${route.network ?? route.hostname}${within} leads to tunnel ${route.tunnel_name} (${route.id})`)
  },
})
