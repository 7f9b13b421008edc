import { defineCommand } from '../../command.ts'
import { apiFlags, openTunnelsClient } from '../../control/api-access.ts'

/** `GET …/cfd_tunnel/{id}/token` (V-147). The only command that prints a secret. */
export default defineCommand({
  name: 'tunnel token',
  summary: "Print a tunnel's token, with which a connector runs it",
  description: 'Whoever has the token can run the tunnel. Keep it in a file that only the connector can read.',
  positionals: [{ name: 'tunnel', help: 'its name or id' }],
  flags: apiFlags,
  examples: ['hawser tunnel token lab --data-dir ./edge > lab.token'],
  async run({ args, flags, out, signal }) {
    const client = await openTunnelsClient(flags, signal)
    const { id } = await client.find(args.tunnel)
    const token = (await client.token(id)).reveal()
    return flags.json ? out.json({ id, token }) : out.line(token)
  },
})
