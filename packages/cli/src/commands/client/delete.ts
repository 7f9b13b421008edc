import { defineCommand } from '../../command.ts'
import { apiFlags } from '../../control/api-access.ts'
import { ClientsClient } from './clients-client.ts'

/** Calls under way end with it. */
export default defineCommand({
  name: 'client delete',
  summary: 'Delete a client; its token is worth nothing afterwards, and its calls end',
  positionals: [{ name: 'client', help: 'its name or id' }],
  flags: apiFlags,
  examples: ['hawser client delete batch --data-dir ./edge'],
  async run({ args, flags, out, signal }) {
    const deleted = await (await ClientsClient.open(flags, signal)).delete(args.client)
    return flags.json ? out.json(deleted) : out.line(`Deleted client ${deleted.name} (${deleted.id})`)
  },
})
