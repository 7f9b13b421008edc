import { join } from 'node:path'
import type { HawserConnectorOperations } from '../roles/hawser-connector.ts'
import type { HawserEdgeOperations } from '../roles/hawser-edge.ts'
import { startRole } from '../role.ts'
import type { Scope } from '../scope.ts'
import type { Peer, Way } from './peer.ts'

async function start(scope: Scope, targetPort: number): Promise<Way> {
  const edge = await startRole<HawserEdgeOperations>(scope, 'hawser-edge')
  const token = await edge.call('start', join(scope.folder, 'edge'))
  const connector = await startRole<HawserConnectorOperations>(scope, 'hawser-connector')
  await connector.call('start', token)
  return { port: await edge.call('listen', targetPort), processes: [edge.pid, connector.pid] }
}

/** An edge and a connector, each in its own process, with their defaults. */
export const hawser: Peer = { name: 'hawser', absence: () => Promise.resolve(undefined), start }
