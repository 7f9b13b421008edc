import { HawserError } from '@hawser/core'
import { defineCommand } from '../../command.ts'
import { apiFlags, openApi } from '../../control/api-access.ts'
import { RoutesClient } from '../../control/routes-client.ts'
import { TunnelsClient } from '../../control/tunnels-client.ts'

/** `DELETE …/cfd_tunnel/{id}`. Asks first whether it is in use, since the API's own refusal speaks of query parameters. */
export default defineCommand({
  name: 'tunnel delete',
  summary: 'Delete a tunnel; its token is worth nothing afterwards',
  positionals: [{ name: 'tunnel', help: 'its name or id' }],
  flags: {
    ...apiFlags,
    force: { kind: 'boolean', help: 'also while connectors are connected or routes lead to it; flows and routes end' },
  },
  examples: ['hawser tunnel delete lab --data-dir ./edge'],
  async run({ args, flags, out, signal }) {
    const { client, accountId } = await openApi(flags, signal)
    const tunnels = new TunnelsClient(client, accountId)
    const { id, name } = await tunnels.find(args.tunnel)
    const connectors = flags.force ? [] : await tunnels.connectors(id)
    if (connectors.length > 0) {
      const message = `tunnel ${name} is in use by ${connectors.length} connector(s); stop them first, or give --force`
      throw new HawserError('conflict', message)
    }
    const routes = flags.force ? [] : await new RoutesClient(client, accountId).list({ tunnelId: id })
    if (routes.length > 0) {
      const message = `${routes.length} route(s) lead to tunnel ${name}; delete them first, or give --force`
      throw new HawserError('conflict', message)
    }
    const deleted = await tunnels.delete(id, flags.force)
    return flags.json ? out.json(deleted) : out.line(`Deleted tunnel ${name} (${id})`)
  },
})
