import { randomBytes } from 'node:crypto'
import { Secret } from '@hawser/core'
import { defineCommand } from '../../command.ts'
import { apiFlags, openTunnelsClient, sameEdge } from '../../control/api-access.ts'

/** As long as the secrets that the directory makes. */
const SECRET_BYTES = 32

/** `PATCH …/cfd_tunnel/{id}` with a new secret (V-148), and with `--revoke` `DELETE …/connections` after it (V-149). */
export default defineCommand({
  name: 'tunnel rotate',
  summary: "Replace a tunnel's secret, so that its token is worth nothing from now on",
  description:
    'Connectors that run go on until they next connect, and then need the new token: fetch it, restart half of them, and ' +
    'once those are connected the rest. If the token may be in the wrong hands, --revoke ends all connections at once.',
  positionals: [{ name: 'tunnel', help: 'its name or id' }],
  flags: {
    ...apiFlags,
    revoke: { kind: 'boolean', help: 'end the connections made with the old token; their flows end' },
  },
  examples: ['hawser tunnel rotate lab --data-dir ./edge', 'hawser tunnel rotate lab --revoke --data-dir ./edge'],
  async run({ args, flags, out, signal }) {
    const client = await openTunnelsClient(flags, signal)
    const { id } = await client.find(args.tunnel)
    const tunnel = await client.rotate(id, new Secret(randomBytes(SECRET_BYTES).toString('base64')))
    if (flags.revoke) await client.disconnect(id)
    if (flags.json) return out.json(tunnel)
    out.line(`The old token of ${tunnel.name} opens no new connection`)
    if (flags.revoke) out.line('All connections made with it have been ended')
    return out.line(`The new token, for its connectors: hawser tunnel token ${tunnel.name}${sameEdge(flags)}`)
  },
})
