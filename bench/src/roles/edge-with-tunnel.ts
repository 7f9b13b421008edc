import { randomUUID } from 'node:crypto'
import { silentLogger } from '@hawser/core'
import type { Dialer } from '@hawser/core'
import { Choice, startEdge } from '@hawser/edge'
import type { Edge, EdgeOptions } from '@hawser/edge'
import { LOOPBACK } from '../ports.ts'

/** A real edge with one tunnel, for the roles that need one. */
export interface EdgeWithTunnel {
  readonly edge: Edge
  readonly tunnelId: string
  /** For the connector process. */
  readonly token: string
}

/** Starts an edge on a free port with its data in `dataDir`. */
export async function startEdgeWithTunnel(
  dataDir: string,
  options: Pick<EdgeOptions, 'tlsSessions'> = {},
): Promise<EdgeWithTunnel> {
  const edge = await startEdge({ dataDir, tunnel: { host: LOOPBACK, port: 0 }, logger: silentLogger, ...options })
  const tunnel = await edge.directory.tunnels.create({ name: `bench-${randomUUID()}` })
  return { edge, tunnelId: tunnel.id, token: (await edge.tunnelToken(tunnel.id)).reveal() }
}

const choice = new Choice()

/** The connection that the edge would choose for a flow. @throws {Error} while no connector is there */
export function dialerOf({ edge, tunnelId }: EdgeWithTunnel): Dialer {
  const chosen = choice.of(edge.connections(tunnelId), undefined, undefined)
  if (chosen === undefined) throw new Error('no connector is connected')
  return chosen
}
