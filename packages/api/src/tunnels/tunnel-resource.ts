import type { Tunnel, TunnelActivity } from '@hawser/directory'
import type { ApiConnection } from '../resource.ts'
import { targetStatus, tunnelStatus } from './tunnel-status.ts'
import type { TargetStatus, TunnelStatus } from './tunnel-status.ts'

/** A tunnel as the vendor's clients know it. */
export interface TunnelResource {
  readonly id: string
  readonly account_tag: string
  readonly name: string
  readonly created_at: string
  readonly deleted_at: string | null
  readonly status: TunnelStatus
  /** Not the vendor's: whether what is behind the tunnel can be reached, where it is probed. */
  readonly target_status: TargetStatus
  readonly tun_type: 'cfd_tunnel'
  /** What a connector serves is decided by the edge, never by a file beside it. */
  readonly config_src: 'cloudflare'
  readonly remote_config: true
  /** Deprecated, and always empty: `GET …/connections` has them. */
  readonly connections: readonly never[]
  /** Since when something has been connected, ISO 8601; null where nothing is. */
  readonly conns_active_at: string | null
  /** Since when nothing has been, ISO 8601; null where something is, or where that is not known. */
  readonly conns_inactive_at: string | null
  readonly metadata: Readonly<Record<string, never>>
}

/** Never holds the secret: that leaves by `GET …/token` alone. */
export function tunnelResource(
  tunnel: Tunnel,
  accountId: string,
  connections: readonly ApiConnection[],
  activity?: TunnelActivity,
): TunnelResource {
  return {
    id: tunnel.id,
    account_tag: accountId,
    name: tunnel.name,
    created_at: tunnel.createdAt,
    deleted_at: tunnel.deletedAt ?? null,
    status: tunnelStatus(connections, activity),
    target_status: targetStatus(connections),
    tun_type: 'cfd_tunnel',
    config_src: 'cloudflare',
    remote_config: true,
    connections: [],
    conns_active_at: earliest(connections),
    conns_inactive_at: connections.length > 0 ? null : (activity?.inactiveAt ?? null),
    metadata: {},
  }
}

/** When the oldest of the connections was opened, ISO 8601, or null where that is not known. */
export function earliest(connections: readonly ApiConnection[]): string | null {
  const times = connections.flatMap(({ openedAt }) => (openedAt === undefined ? [] : [openedAt]))
  return times.length === 0 ? null : new Date(Math.min(...times)).toISOString()
}
