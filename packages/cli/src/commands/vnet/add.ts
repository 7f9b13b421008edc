import { defineCommand } from '../../command.ts'
import { apiFlags } from '../../control/api-access.ts'
import { openRouteClients } from '../route/route-clients.ts'

/** `POST …/teamnet/virtual_networks`. */
export default defineCommand({
  name: 'vnet add',
  summary: 'Add a virtual network: a route table of its own, for sites with the same addresses',
  description: 'A Worker means it by "networks": { "<binding>": { "virtualNetwork": "<name>" } } in hawser.jsonc.',
  positionals: [{ name: 'name', help: 'what to call it' }],
  flags: {
    ...apiFlags,
    comment: { kind: 'string', help: 'what it is for' },
    default: { kind: 'boolean', help: 'make it the network of routes and bindings that name none' },
  },
  examples: ['hawser vnet add site-b --data-dir ./edge'],
  async run({ args, flags, out, signal }) {
    const { networks } = await openRouteClients(flags, signal)
    const { comment, default: isDefault } = flags
    const made = await networks.create({ name: args.name, comment, is_default_network: isDefault })
    return flags.json ? out.json(made) : out.line(`Added virtual network ${made.name} with id ${made.id}`)
  },
})
