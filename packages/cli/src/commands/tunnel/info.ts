import { defineCommand } from '../../command.ts'
import { apiFlags, openTunnelsClient } from '../../control/api-access.ts'
import { formatTable } from '../../output.ts'

/** `GET …/cfd_tunnel/{id}` and `…/connections`: what V-139 lists. */
export default defineCommand({
  name: 'tunnel info',
  summary: 'Show a tunnel and the connectors that run it',
  positionals: [{ name: 'tunnel', help: 'its name or id' }],
  flags: apiFlags,
  examples: ['hawser tunnel info lab --data-dir ./edge'],
  async run({ args, flags, out, signal }) {
    const client = await openTunnelsClient(flags, signal)
    const tunnel = await client.find(args.tunnel)
    const connectors = await client.connectors(tunnel.id)
    if (flags.json) return out.json({ ...tunnel, connectors })
    const facts = [
      ['id', tunnel.id],
      ['status', tunnel.status],
      ['created', tunnel.created_at],
    ]
    for (const line of formatTable(['name', tunnel.name], facts)) out.line(line)
    out.line()
    if (connectors.length === 0) {
      return out.line('No connector is connected. Start one with: hawser connector run --token-file <file>')
    }
    const rows = connectors.flatMap(({ id, version, arch, conns }) =>
      conns.map(({ origin_ip, opened_at }) => [id, version, arch, origin_ip, opened_at ?? '']),
    )
    for (const line of formatTable(['CONNECTOR', 'VERSION', 'PLATFORM', 'FROM', 'SINCE'], rows)) out.line(line)
    return undefined
  },
})
