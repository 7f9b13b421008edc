import { defineCommand } from '../../command.ts'
import { apiFlags } from '../../control/api-access.ts'
import { formatTable } from '../../output.ts'
import { ClientsClient } from './clients-client.ts'

/** Without tokens, which are nobody's to list. */
export default defineCommand({
  name: 'client list',
  summary: 'List the clients and what they may use',
  flags: apiFlags,
  examples: ['hawser client list --data-dir ./edge'],
  async run({ flags, out, signal }) {
    const clients = await (await ClientsClient.open(flags, signal)).list()
    if (flags.json) return out.json(clients)
    const rows = clients.map((client) => [
      client.name,
      client.id,
      client.networks.join(' '),
      client.services.join(' '),
      client.created_at,
    ])
    for (const line of formatTable(['NAME', 'ID', 'NETWORKS', 'SERVICES', 'CREATED'], rows)) out.line(line)
    return undefined
  },
})
