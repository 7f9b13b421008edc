import { ConnectorCounters } from '@hawser/connector'
import type { ConnectorStatus } from '@hawser/connector'
import { FlowCounters } from '@hawser/edge'
import type { ObservedConnector } from './connector-metrics.ts'
import type { ObservedEdge } from './edge-metrics.ts'

/** A connection that stands. */
export function connectedTo(edge: string, connection: number): ConnectorStatus {
  return { type: 'connected', edge, connection, edgeId: `id of ${edge}` }
}

/** A connector that is what is pushed into `present`. */
export function fakeConnector(): { connector: ObservedConnector; present: ConnectorStatus[] } {
  const present: ConnectorStatus[] = []
  return { present, connector: { id: 'c1', counters: new ConnectorCounters(), present: () => present } }
}

/** An edge with one tunnel that has four connections. */
export function fakeEdge(): { edge: ObservedEdge; live: { taking: boolean; tunnels: number; connections: number } } {
  const live = { taking: true, tunnels: 1, connections: 4 }
  return { live, edge: { id: 'e1', counters: new FlowCounters(), live: () => live } }
}
