import { defineCommand } from '../../command.ts'
import { apiFlags } from '../../control/api-access.ts'
import { openRouteClients } from '../route/route-clients.ts'

/** `DELETE …/teamnet/virtual_networks/{id}`. */
export default defineCommand({
  name: 'vnet delete',
  summary: 'Delete a virtual network that has no routes',
  positionals: [{ name: 'network', help: 'its name or id' }],
  flags: { ...apiFlags, force: { kind: 'boolean', help: 'delete its routes with it' } },
  examples: ['hawser vnet delete site-b --data-dir ./edge'],
  async run({ args, flags, out, signal }) {
    const { networks } = await openRouteClients(flags, signal)
    const { id } = await networks.find(args.network)
    const deleted = await networks.delete(id, flags.force)
    return flags.json ? out.json(deleted) : out.line(`Deleted virtual network ${deleted.name} (${deleted.id})`)
  },
})
