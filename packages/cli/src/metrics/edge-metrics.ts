import type { Edge } from '@hawser/edge'
import { counter, gauge, samplesBy } from './exposition.ts'
import type { Metric } from './exposition.ts'
import type { Readiness } from './serve-metrics.ts'

/** What is read of an edge. */
export type ObservedEdge = Pick<Edge, 'id' | 'counters' | 'live'>

/** The answer to `/ready`: an edge is ready from its start until it is told to stop. */
export function edgeReadiness(edge: ObservedEdge): Readiness {
  const { taking, tunnels, connections } = edge.live()
  return { ready: taking, body: { tunnels, connections, edgeId: edge.id } }
}

/** All that an edge tells of itself, but for its process. */
export function edgeMetrics(edge: ObservedEdge): readonly Metric[] {
  const { counters } = edge
  const { tunnels, connections } = edge.live()
  return [
    gauge('hawser_edge_tunnels', 'Tunnels with a connector that is connected', tunnels),
    gauge('hawser_edge_tunnel_connections', 'Connections of connectors', connections),
    gauge('hawser_edge_open_flows', 'Calls under way', counters.open),
    counter('hawser_edge_flows_total', 'Calls that have ended, by outcome', [
      { labels: { outcome: 'ok' }, value: counters.ok },
      { labels: { outcome: 'error' }, value: counters.failed },
      { labels: { outcome: 'aborted' }, value: counters.aborted },
    ]),
    counter(
      'hawser_edge_flow_errors_total',
      'Calls that did not end well, by error code',
      samplesBy('code', counters.byCode),
    ),
    counter('hawser_edge_bytes_total', 'Bytes of calls that have ended', [
      { labels: { direction: 'to_target' }, value: counters.bytesSent },
      { labels: { direction: 'from_target' }, value: counters.bytesReceived },
    ]),
    {
      name: 'hawser_edge_dial_seconds',
      type: 'histogram',
      help: 'Seconds until a connection to a target was open, through a tunnel or directly',
      values: counters.dialSeconds,
    },
  ]
}
