import type { FlagSpec, FlagValues } from '../../command.ts'
import { openApi } from '../../control/api-access.ts'
import type { apiFlags } from '../../control/api-access.ts'
import { NetworksClient } from '../../control/networks-client.ts'
import { RoutesClient } from '../../control/routes-client.ts'
import { TunnelsClient } from '../../control/tunnels-client.ts'

/** What commands about routes ask, all of one account. */
export interface RouteClients {
  readonly routes: RoutesClient
  readonly networks: NetworksClient
  readonly tunnels: TunnelsClient
}

/** For commands that may mean one virtual network. */
export const vnetFlag = {
  kind: 'string',
  placeholder: 'network',
  help: 'name or id of the virtual network, instead of the default one',
} as const satisfies FlagSpec

/** @throws {HawserError} as `openApi` */
export async function openRouteClients(flags: FlagValues<typeof apiFlags>, signal: AbortSignal): Promise<RouteClients> {
  const { client, accountId } = await openApi(flags, signal)
  return {
    routes: new RoutesClient(client, accountId),
    networks: new NetworksClient(client, accountId),
    tunnels: new TunnelsClient(client, accountId),
  }
}
