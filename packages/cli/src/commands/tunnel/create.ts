import { defineCommand } from '../../command.ts'
import { apiFlags, openTunnelsClient, sameEdge } from '../../control/api-access.ts'

/** `POST …/cfd_tunnel`. The token is not printed: `tunnel token` does that, on purpose and by itself. */
export default defineCommand({
  name: 'tunnel create',
  summary: 'Create a tunnel',
  positionals: [{ name: 'name', help: 'what to call it' }],
  flags: apiFlags,
  examples: ['hawser tunnel create lab --data-dir ./edge'],
  async run({ args, flags, out, signal }) {
    const client = await openTunnelsClient(flags, signal)
    const tunnel = await client.create(args.name)
    if (flags.json) return out.json(tunnel)
    out.line(`Created tunnel ${tunnel.name} with id ${tunnel.id}`)
    return out.line(`Its token, for a connector: hawser tunnel token ${tunnel.name}${sameEdge(flags)}`)
  },
})
