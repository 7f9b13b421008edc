import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { startConnector } from '@hawser/connector'
import type { Connector, ConnectorOptions } from '@hawser/connector'
import type { BindingDoors } from '@hawser/core'
import { startEdge } from '@hawser/edge'
import type { Edge } from '@hawser/edge'
import { CapturedLog } from '@hawser/testkit'

/** For tests: an edge of this process, one tunnel, and a binding that leads through it. */
export interface TunnelSite extends AsyncDisposable {
  readonly edge: Edge
  readonly tunnelId: string
  readonly doors: BindingDoors
  readonly log: CapturedLog
  readonly token: string
  /** A file with the token. */
  readonly tokenFile: string
  /** Starts a connector in this process, and waits until all its connections stand. */
  replica(options?: Partial<ConnectorOptions>): Promise<Connector>
  /** Waits until `connections` of a connector, or of all, are as many. */
  connected(connections: number, connectorId?: string): Promise<void>
}

export async function tunnelSite(t: TestContext): Promise<TunnelSite> {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-site-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const log = new CapturedLog()
  const edge = await startEdge({
    dataDir: join(folder, 'edge'),
    tunnel: { host: '127.0.0.1', port: 0 },
    logger: log,
  })
  const { id: tunnelId } = await edge.directory.tunnels.create({ name: 'lab' })
  const token = (await edge.tunnelToken(tunnelId)).reveal()
  const tokenFile = join(folder, 'lab.token')
  await writeFile(tokenFile, token)
  const doors = await edge.openBinding({ worker: 'w', binding: 'VPC', network: { kind: 'tunnel', tunnelId } })
  const connected = async (count: number, connectorId?: string): Promise<void> => {
    const counted = (): number =>
      edge.connections(tunnelId).filter(({ connector }) => connectorId === undefined || connector.id === connectorId)
        .length
    while (counted() !== count) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return {
    edge,
    tunnelId,
    doors,
    log,
    token,
    tokenFile,
    connected,
    replica: async (options = {}) => {
      const connector = await startConnector({ token, logger: new CapturedLog(), ...options })
      await connected(options.connections ?? 4, connector.id)
      return connector
    },
    [Symbol.asyncDispose]: () => edge.close(0),
  }
}
