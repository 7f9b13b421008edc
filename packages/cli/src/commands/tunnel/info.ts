import { formatHostPort } from '@hawser/core'
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
      ['targets', tunnel.target_status ?? 'not probed'],
      ['created', tunnel.created_at],
    ]
    for (const line of formatTable(['name', tunnel.name], facts)) out.line(line)
    out.line()
    if (connectors.length === 0) {
      return out.line('No connector is connected. Start one with: hawser connector run --token-file <file>')
    }
    const rows = connectors.flatMap(({ id, version, arch, weight, conns }) =>
      conns.map(({ origin_ip, opened_at }) => [id, version, arch, String(weight ?? ''), origin_ip, opened_at ?? '']),
    )
    const heading = ['CONNECTOR', 'VERSION', 'PLATFORM', 'WEIGHT', 'FROM', 'SINCE']
    for (const line of formatTable(heading, rows)) out.line(line)
    const targets = connectors.flatMap(({ id, targets: found = [] }) =>
      found.map(({ host, port, healthy, code }) => [
        formatHostPort({ host, port }),
        id,
        healthy ? 'answers' : `does not answer (${code ?? 'no reason given'})`,
      ]),
    )
    if (targets.length === 0) return undefined
    out.line()
    for (const line of formatTable(['TARGET', 'FROM CONNECTOR', 'STATE'], targets)) out.line(line)
    return undefined
  },
})
