import { defineCommand } from '../../command.ts'
import { apiFlags, openTunnelsClient } from '../../control/api-access.ts'
import { formatTable } from '../../output.ts'

/** `GET …/cfd_tunnel`, every page. */
export default defineCommand({
  name: 'tunnel list',
  summary: 'List the tunnels',
  flags: { ...apiFlags, name: { kind: 'string', help: 'only the tunnel of this name' } },
  examples: ['hawser tunnel list --data-dir ./edge', 'hawser tunnel list --api http://127.0.0.1:7845 --json'],
  async run({ flags, out, signal }) {
    const client = await openTunnelsClient(flags, signal)
    const tunnels = await client.list(flags.name)
    if (flags.json) return out.json(tunnels)
    const rows = tunnels.map(({ name, id, status, created_at }) => [name, id, status, created_at])
    for (const line of formatTable(['NAME', 'ID', 'STATUS', 'CREATED'], rows)) out.line(line)
    return undefined
  },
})
