import { formatHostPort } from '@hawser/core'
import { defineCommand } from '../../command.ts'
import { apiFlags, openTunnelsClient } from '../../control/api-access.ts'
import type { ConnectorRow } from '../../control/tunnels-client.ts'
import { formatTable } from '../../output.ts'

const HEADING = ['CONNECTOR', 'VERSION', 'PLATFORM', 'WEIGHT', 'CONNECTIONS', 'FROM', 'SINCE'] as const

/** One row for each connector; it has as many connections as it says, or else as many as this edge sees. */
function connectorCells({ id, version, arch, weight, connections, conns, run_at }: ConnectorRow): readonly string[] {
  const count = connections ? `${connections.up}/${connections.of}` : String(conns.length)
  const from = new Set(conns.map(({ origin_ip }) => origin_ip))
  return [id, version, arch, String(weight ?? ''), count, [...from].join(', '), run_at ?? '']
}

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
    for (const line of formatTable(HEADING, connectors.map(connectorCells))) out.line(line)
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
