import { HawserError } from '@hawser/core'
import { defineCommand } from '../../command.ts'
import { apiFlags, openTunnelsClient } from '../../control/api-access.ts'

/** `DELETE …/cfd_tunnel/{id}/connections`, with `client_id` where one connector is meant. */
export default defineCommand({
  name: 'tunnel disconnect',
  summary: "End the connections of a tunnel's connectors now",
  description:
    'A connector whose token is still good comes back at once. To keep it out, replace the token: hawser tunnel rotate --revoke.',
  positionals: [{ name: 'tunnel', help: 'its name or id' }],
  flags: {
    ...apiFlags,
    connector: { kind: 'string', placeholder: 'id', help: 'only this connector; hawser tunnel info lists them' },
  },
  examples: ['hawser tunnel disconnect lab --data-dir ./edge'],
  async run({ args, flags, out, signal }) {
    const client = await openTunnelsClient(flags, signal)
    const { id, name } = await client.find(args.tunnel)
    const { connector } = flags
    // The API has nothing to say about connectors that are not there.
    if (connector !== undefined && !(await client.connectors(id)).some((each) => each.id === connector)) {
      const wrong = `--connector: no connector ${JSON.stringify(connector)} runs ${name} now`
      throw new HawserError('options_invalid', `${wrong}; hawser tunnel info ${name} lists those that do`)
    }
    await client.disconnect(id, connector)
    return flags.json ? out.json({ id, name }) : out.line(`Ended the connections of ${connector ?? name}`)
  },
})
