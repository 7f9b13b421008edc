import { defineCommand } from '../../command.ts'
import { apiFlags } from '../../control/api-access.ts'
import { formatTable } from '../../output.ts'
import { openRouteClients } from '../route/route-clients.ts'

/** `GET …/teamnet/virtual_networks`. */
export default defineCommand({
  name: 'vnet list',
  summary: 'List the virtual networks',
  flags: apiFlags,
  examples: ['hawser vnet list --data-dir ./edge'],
  async run({ flags, out, signal }) {
    const { networks } = await openRouteClients(flags, signal)
    const found = await networks.list()
    if (flags.json) return out.json(found)
    const rows = found.map((network) => [
      network.name,
      network.is_default_network ? 'yes' : '',
      network.id,
      network.created_at,
      network.comment,
    ])
    for (const line of formatTable(['NAME', 'DEFAULT', 'ID', 'CREATED', 'COMMENT'], rows)) out.line(line)
    return undefined
  },
})
