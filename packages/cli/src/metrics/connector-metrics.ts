import type { Connector, ConnectorStatus } from '@hawser/connector'
import { counter, gauge, samplesBy } from './exposition.ts'
import type { Metric } from './exposition.ts'
import type { Readiness } from './serve-metrics.ts'

/** What is read of a connector. */
export type ObservedConnector = Pick<Connector, 'id' | 'counters' | 'present'>

type Standing = Extract<ConnectorStatus, { type: 'connected' }>

/** Tunnel connections that take new work: none while draining, though those that stand still carry what runs (V-166). */
function readyConnections(connector: ObservedConnector): readonly Standing[] {
  const present = connector.present()
  if (present.some(({ type }) => type === 'draining' || type === 'closed')) return []
  return present.filter((status) => status.type === 'connected')
}

/** The answer to `/ready`, in the form of the vendor's connector (V-168). */
export function connectorReadiness(connector: ObservedConnector): Readiness {
  const { length } = readyConnections(connector)
  return { ready: length > 0, body: { readyConnections: length, connectorId: connector.id } }
}

/** What the vendor's connector calls by the same names (V-169), so that its dashboards and alerts go on working. */
function vendorMetrics(connector: ObservedConnector, standing: readonly Standing[]): readonly Metric[] {
  const { counters } = connector
  const failed = [...counters.requestErrors.values()].reduce((sum, count) => sum + count, 0)
  const locations = standing.map(({ connection, edgeId }) => ({
    labels: { connection_id: String(connection), edge_location: edgeId },
    value: 1,
  }))
  return [
    gauge('cloudflared_tunnel_ha_connections', 'Tunnel connections that take work', standing.length),
    gauge('cloudflared_tunnel_server_locations', 'Which edge each tunnel connection leads to', locations),
    counter('cloudflared_tunnel_total_requests', 'Connections that edges asked for', counters.requests),
    gauge(
      'cloudflared_tunnel_concurrent_requests_per_tunnel',
      'Connections to targets that are open',
      counters.activeSessions,
    ),
    counter('cloudflared_tunnel_request_errors', 'Connections that could not be opened', failed),
    counter('cloudflared_tcp_total_sessions', 'Connections to targets that were opened', counters.sessions),
    gauge('cloudflared_tcp_active_sessions', 'Connections to targets that are open', counters.activeSessions),
    {
      name: 'cloudflared_proxy_connect_latency',
      type: 'histogram',
      help: 'Milliseconds until a connection to a target was open',
      values: counters.dialMs,
    },
    counter('cloudflared_tunnel_tunnel_register_success', 'Registrations that edges accepted', [
      { labels: { rpcName: 'register' }, value: counters.registrations },
    ]),
    counter(
      'cloudflared_tunnel_tunnel_register_fail',
      'Registrations that came to nothing, by error code',
      Array.from(counters.registrationErrors, ([error, value]) => ({ labels: { error, rpcName: 'register' }, value })),
    ),
  ]
}

/** All that a connector tells of itself, but for its process. */
export function connectorMetrics(connector: ObservedConnector): readonly Metric[] {
  const { counters } = connector
  return [
    ...vendorMetrics(connector, readyConnections(connector)),
    counter(
      'hawser_connector_request_errors_total',
      'Connections that could not be opened, by error code',
      samplesBy('code', counters.requestErrors),
    ),
    counter('hawser_connector_bytes_total', 'Bytes of connections that have ended', [
      { labels: { direction: 'to_target' }, value: counters.bytesSent },
      { labels: { direction: 'from_target' }, value: counters.bytesReceived },
    ]),
  ]
}
