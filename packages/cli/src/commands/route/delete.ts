import { defineCommand } from '../../command.ts'
import { apiFlags } from '../../control/api-access.ts'
import { openRouteClients, vnetFlag } from './route-clients.ts'

/** `DELETE …/teamnet/routes/{id}`, or `DELETE …/zerotrust/routes/hostname/{id}`. */
export default defineCommand({
  name: 'route delete',
  summary: 'Delete a route; a larger block that holds its addresses, if there is one, leads them from then on',
  positionals: [{ name: 'route', help: 'its block, its hostname or its id' }],
  flags: { ...apiFlags, vnet: { ...vnetFlag, help: 'virtual network of the block, where several have it' } },
  examples: ['hawser route delete 10.0.0.0/16 --data-dir ./edge', 'hawser route delete db.internal --data-dir ./edge'],
  async run({ args, flags, out, signal }) {
    const { routes, networks } = await openRouteClients(flags, signal)
    const network = flags.vnet === undefined ? undefined : await networks.find(flags.vnet)
    const deleted = await routes.delete(await routes.find(args.route, network?.id))
    if (flags.json) return out.json(deleted)
    return out.line(`Deleted the route ${deleted.network ?? deleted.hostname} to tunnel ${deleted.tunnel_name}`)
  },
})
