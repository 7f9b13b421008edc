/** The connector, as `hawser connector run` starts it. */
import { silentLogger, tuneHeapForBuffers } from '@hawser/core'
import { startConnector } from '@hawser/connector'
import type { Connector } from '@hawser/connector'
import { serveRole } from '../role.ts'

tuneHeapForBuffers() // as the command does

let connector: Connector | undefined

const operations = {
  /** Connects with `token` and waits until the tunnel is up. */
  async start(token: string): Promise<void> {
    connector = await startConnector({ token, logger: silentLogger })
    await connector.ready
  },
}
export type HawserConnectorOperations = typeof operations

serveRole(operations, async () => connector?.close(0))
