/** What connectors and edges show of their counters. */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import test from 'node:test'
import { HawserError } from '@hawser/core'
import { connectorMetrics, connectorReadiness } from './connector-metrics.ts'
import { edgeMetrics, edgeReadiness } from './edge-metrics.ts'
import { renderMetrics } from './exposition.ts'
import type { Metric } from './exposition.ts'
import { parseExposition } from './test-exposition.ts'
import { connectedTo, fakeConnector, fakeEdge } from './fake-observed.ts'

/** `name{label=value}` to value. */
function valuesOf(metrics: readonly Metric[]): Record<string, number> {
  const samples = parseExposition(renderMetrics(metrics)).flatMap((metric) => metric.samples)
  return Object.fromEntries(
    samples.map(({ name, labels, value }) => {
      const pairs = Object.entries(labels).map(([key, text]) => `${key}=${text}`)
      return [pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`, value]
    }),
  )
}

test('a connector is ready while a connection stands and it takes work', () => {
  const { connector, present } = fakeConnector()
  assert.deepEqual(connectorReadiness(connector), { ready: false, body: { readyConnections: 0, connectorId: 'c1' } })
  present.push(connectedTo('e1:7844', 0), connectedTo('e2:7844', 1))
  present.push({ type: 'connecting', edge: 'e3:7844', connection: 2, attempt: 3 })
  assert.deepEqual(connectorReadiness(connector), { ready: true, body: { readyConnections: 2, connectorId: 'c1' } })
  present.push({ type: 'draining', activeStreams: 1 })
  assert.deepEqual(connectorReadiness(connector), { ready: false, body: { readyConnections: 0, connectorId: 'c1' } })
})

test("a connector's connections are told apart by number, with the edge that each leads to", () => {
  const { connector, present } = fakeConnector()
  present.push(connectedTo('e1:7844', 0), connectedTo('e1:7844', 1))
  const values = valuesOf(connectorMetrics(connector))
  assert.equal(values['cloudflared_tunnel_ha_connections'], 2)
  assert.equal(values['cloudflared_tunnel_server_locations{connection_id=1,edge_location=id of e1:7844}'], 1)
})

test("a connector's requests, sessions, failures and latencies are under the vendor's names, and its bytes under ours", () => {
  const { connector } = fakeConnector()
  const { counters } = connector
  counters.requests = 4
  counters.opened(new PassThrough(), 7)
  counters.opened(new PassThrough(), 700)
  counters.refused(new HawserError('dns_error', 'no'))
  counters.refused(new HawserError('connection_refused', 'no'))
  counters.bytesSent = 11
  counters.bytesReceived = 12
  counters.registrations = 3
  counters.registrationErrors.set('edge_unreachable', 5)
  assert.partialDeepStrictEqual(valuesOf(connectorMetrics(connector)), {
    cloudflared_tunnel_total_requests: 4,
    cloudflared_tunnel_request_errors: 2,
    cloudflared_tcp_total_sessions: 2,
    cloudflared_tcp_active_sessions: 2,
    cloudflared_tunnel_concurrent_requests_per_tunnel: 2,
    'cloudflared_proxy_connect_latency_bucket{le=10}': 1,
    'cloudflared_proxy_connect_latency_bucket{le=1000}': 2,
    cloudflared_proxy_connect_latency_sum: 707,
    'cloudflared_tunnel_tunnel_register_success{rpcName=register}': 3,
    'cloudflared_tunnel_tunnel_register_fail{error=edge_unreachable,rpcName=register}': 5,
    'hawser_connector_request_errors_total{code=dns_error}': 1,
    'hawser_connector_bytes_total{direction=to_target}': 11,
    'hawser_connector_bytes_total{direction=from_target}': 12,
  })
})

test('an edge is ready until it is told to stop', () => {
  const { edge, live } = fakeEdge()
  assert.deepEqual(edgeReadiness(edge), { ready: true, body: { tunnels: 1, connections: 4, edgeId: 'e1' } })
  live.taking = false
  assert.equal(edgeReadiness(edge).ready, false)
})

test("an edge's flows, bytes, tunnels and dial times", () => {
  const { edge } = fakeEdge()
  const { counters } = edge
  Object.assign(counters, { ok: 1, failed: 2, aborted: 3, bytesSent: 4, bytesReceived: 5, open: 6 })
  counters.byCode.set('dns_error', 2)
  counters.dialSeconds.observe(0.004)
  assert.partialDeepStrictEqual(valuesOf(edgeMetrics(edge)), {
    hawser_edge_tunnels: 1,
    hawser_edge_tunnel_connections: 4,
    hawser_edge_open_flows: 6,
    'hawser_edge_flows_total{outcome=ok}': 1,
    'hawser_edge_flows_total{outcome=error}': 2,
    'hawser_edge_flows_total{outcome=aborted}': 3,
    'hawser_edge_flow_errors_total{code=dns_error}': 2,
    'hawser_edge_bytes_total{direction=to_target}': 4,
    'hawser_edge_bytes_total{direction=from_target}': 5,
    'hawser_edge_dial_seconds_bucket{le=0.0025}': 0,
    'hawser_edge_dial_seconds_bucket{le=0.005}': 1,
  })
})

test('names keep to the conventions: ours end in a unit or _total, and nobody has another type of it', () => {
  const all = [...connectorMetrics(fakeConnector().connector), ...edgeMetrics(fakeEdge().edge)]
  for (const { name, type, help } of all) {
    assert.match(help, /^[A-Z].*[^.]$/)
    if (name.startsWith('hawser_')) assert.equal(name.endsWith('_total'), type === 'counter', name)
  }
})
