import { parseHostPort } from '@hawser/core'
import type { ApiConnection, ApiTargetHealth } from '../resource.ts'
import { earliest } from './tunnel-resource.ts'
import { targetsOf } from './tunnel-status.ts'

/** One connector and its connections, as the vendor's clients know them. */
export interface ConnectorResource {
  readonly id: string
  readonly arch: string
  readonly version: string
  readonly features: readonly string[]
  /** When the oldest of its connections was opened, ISO 8601. */
  readonly run_at: string | null
  /** Of the configuration that it follows; 0 where it has none. */
  readonly config_version: number
  /** Not the vendor's, as `connections` and `targets`: connectors of a smaller weight stand by. */
  readonly weight: number | null
  /** How many it has and wants, to all edges together and by its own account. */
  readonly connections: { readonly up: number; readonly of: number } | null
  /** What its probes found last. */
  readonly targets: readonly ApiTargetHealth[]
  readonly conns: readonly ConnectionResource[]
}

/** One TLS connection from a connector to this edge. */
export interface ConnectionResource {
  readonly id: string
  /** The same as `id`; older clients read this one. */
  readonly uuid: string
  /** The connector's id. */
  readonly client_id: string
  readonly client_version: string
  readonly colo_name: string
  /** The address the connector came from, as the edge sees it. */
  readonly origin_ip: string
  readonly opened_at: string | null
  readonly is_pending_reconnect: false
}

/** The vendor names the data centre here; an edge has no such name. */
const EDGE_NAME = 'edge'

/** Connections grouped by their connector, in the order in which the connectors first appear. */
export function connectorResources(connections: readonly ApiConnection[]): readonly ConnectorResource[] {
  const groups = Map.groupBy(connections, ({ connector }) => connector.id)
  return [...groups].map(([id, own]) => ({
    id,
    arch: own[0]?.connector.platform ?? '',
    version: own[0]?.connector.version ?? '',
    features: [],
    run_at: earliest(own),
    config_version: own[0]?.report?.configuration ?? 0,
    weight: own[0]?.weight ?? null,
    connections: own[0]?.report?.connections ?? null,
    targets: own[0] === undefined ? [] : targetsOf(own[0]),
    conns: own.map(connectionResource),
  }))
}

function connectionResource(connection: ApiConnection): ConnectionResource {
  return {
    id: connection.id,
    uuid: connection.id,
    client_id: connection.connector.id,
    client_version: connection.connector.version,
    colo_name: EDGE_NAME,
    origin_ip: parseHostPort(connection.remoteAddress, 'remoteAddress', 0).host,
    opened_at: earliest([connection]),
    is_pending_reconnect: false,
  }
}
