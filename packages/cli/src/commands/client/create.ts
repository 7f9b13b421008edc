import { HawserError } from '@hawser/core'
import { defineCommand } from '../../command.ts'
import { apiFlags, sameEdge } from '../../control/api-access.ts'
import { ClientsClient } from './clients-client.ts'

/** The token is not printed: `client token` does that, on purpose and by itself. */
export default defineCommand({
  name: 'client create',
  summary: 'Let a Node program call through the edge, to what is named here and nothing else',
  positionals: [{ name: 'name', help: 'what to call it' }],
  flags: {
    ...apiFlags,
    network: { kind: 'string', repeatable: true, placeholder: 'tunnel', help: 'tunnel whose network it may use' },
    service: { kind: 'string', repeatable: true, placeholder: 'service', help: 'VPC Service that it may use' },
  },
  examples: ['hawser client create batch --network lab --data-dir ./edge'],
  async run({ args, flags, out, signal }) {
    if (flags.network.length + flags.service.length === 0) {
      throw new HawserError('options_invalid', '--network or --service is required: a client may use nothing else')
    }
    const clients = await ClientsClient.open(flags, signal)
    const client = await clients.create(args.name, flags.network, flags.service)
    if (flags.json) return out.json(client)
    out.line(`Created client ${client.name} with id ${client.id}`)
    return out.line(
      `Its token, for vpcNetwork() and vpcService(): hawser client token ${client.name}${sameEdge(flags)}`,
    )
  },
})
