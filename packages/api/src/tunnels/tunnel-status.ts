import type { TunnelActivity } from '@hawser/directory'
import type { ApiConnection, ApiTargetHealth } from '../resource.ts'

/** Of the tunnel alone, whatever is behind it (V-136, V-137). */
export type TunnelStatus = 'inactive' | 'healthy' | 'degraded' | 'down'
/** Of what is behind it, as far as it is probed; null where nothing is (U-16). */
export type TargetStatus = 'healthy' | 'degraded' | 'down' | null

/**
 * `inactive`: no connector ever came. `down`: one did, and none is there now. `degraded`: a connector has fewer connections
 * than it wants, or one of them is silent. Connectors that are leaving do not count: they will not be missed.
 */
export function tunnelStatus(
  connections: readonly ApiConnection[],
  activity: TunnelActivity | undefined,
): TunnelStatus {
  const serving = connections.filter(isServing)
  if (serving.length === 0) return activity === undefined ? 'inactive' : 'down'
  return serving.some(isImpaired) ? 'degraded' : 'healthy'
}

/** `down`: there is a target that no connector reaches. `degraded`: one that some do not reach. */
export function targetStatus(connections: readonly ApiConnection[]): TargetStatus {
  const reached = new Map<string, { reached: boolean; missed: boolean }>()
  for (const { host, port, healthy } of connections.filter(isServing).flatMap(targetsOf)) {
    const key = `${host} ${port}`
    const before = reached.get(key)
    reached.set(key, {
      reached: healthy || before?.reached === true,
      missed: !healthy || before?.missed === true,
    })
  }
  const targets = [...reached.values()]
  if (targets.length === 0) return null
  if (targets.some((target) => !target.reached)) return 'down'
  return targets.some(({ missed }) => missed) ? 'degraded' : 'healthy'
}

/** What the connector of a connection found behind it. */
export function targetsOf({ report }: ApiConnection): readonly ApiTargetHealth[] {
  return report?.targets ?? []
}

function isServing({ accepting }: ApiConnection): boolean {
  return accepting !== false
}

function isImpaired({ report, silent }: ApiConnection): boolean {
  return silent === true || (report !== undefined && report.connections.up < report.connections.of)
}
