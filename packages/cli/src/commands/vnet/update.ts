import { HawserError } from '@hawser/core'
import { defineCommand } from '../../command.ts'
import { apiFlags } from '../../control/api-access.ts'
import { openRouteClients } from '../route/route-clients.ts'

/** `PATCH …/teamnet/virtual_networks/{id}`. */
export default defineCommand({
  name: 'vnet update',
  summary: 'Rename a virtual network, change its comment, or make it the default',
  positionals: [{ name: 'network', help: 'its name or id' }],
  flags: {
    ...apiFlags,
    name: { kind: 'string', help: 'what to call it from now on' },
    comment: { kind: 'string', help: 'what it is for' },
    default: { kind: 'boolean', help: 'make it the network of routes and bindings that name none' },
  },
  examples: ['hawser vnet update site-b --default --data-dir ./edge'],
  async run({ args, flags, out, signal }) {
    const { name, comment, default: isDefault } = flags
    if (name === undefined && comment === undefined && !isDefault) {
      throw new HawserError('options_invalid', '--name, --comment or --default is required: there is nothing to change')
    }
    const { networks } = await openRouteClients(flags, signal)
    const { id } = await networks.find(args.network)
    const changed = await networks.update(id, { name, comment, is_default_network: isDefault || undefined })
    return flags.json ? out.json(changed) : out.line(`Updated virtual network ${changed.name} (${changed.id})`)
  },
})
