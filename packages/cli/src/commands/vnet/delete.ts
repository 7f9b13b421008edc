import { HawserError } from '@hawser/core'
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
    const { networks, routes } = await openRouteClients(flags, signal)
    const { id, name, is_default_network: stays } = await networks.find(args.network)
    // The default one is never deleted: --force, which the refusal of the others names, would be wrong advice.
    const used = flags.force || stays ? [] : await routes.list({ virtualNetworkId: id })
    if (used.length > 0) {
      const message = `virtual network ${name} still has ${used.length} route(s); delete them first, or give --force`
      throw new HawserError('conflict', message)
    }
    const deleted = await networks.delete(id, flags.force)
    return flags.json ? out.json(deleted) : out.line(`Deleted virtual network ${deleted.name} (${deleted.id})`)
  },
})
