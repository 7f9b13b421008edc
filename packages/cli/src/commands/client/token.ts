import { defineCommand } from '../../command.ts'
import { apiFlags } from '../../control/api-access.ts'
import { ClientsClient } from './clients-client.ts'

/** The same each time, until the client is deleted. */
export default defineCommand({
  name: 'client token',
  summary: "Print a client's token, for vpcNetwork() and vpcService()",
  description: 'Whoever has the token can use what the client may use. Keep it where only the program can read it.',
  positionals: [{ name: 'client', help: 'its name or id' }],
  flags: apiFlags,
  examples: ['hawser client token batch --data-dir ./edge > batch.token'],
  async run({ args, flags, out, signal }) {
    const clients = await ClientsClient.open(flags, signal)
    const { id } = await clients.find(args.client)
    const token = (await clients.token(id)).reveal()
    return flags.json ? out.json({ id, token }) : out.line(token)
  },
})
