import { HawserError } from '@hawser/core'
import type { Dialer } from '@hawser/core'
import type { ConnectorConnection } from '@hawser/tunnel'

/** What a choice among healthy connections may look at. */
export const CRITERIA = ['weight', 'flows', 'rtt'] as const
export type Criterion = (typeof CRITERIA)[number]

/** Where a flow wants to go; of a host as the Worker named it. */
export interface ChoiceTarget {
  readonly host: string
  readonly port: number
}

/** Flows that a connection gets before the next one of its connector is used, see {@link Choice}. */
const PACKED_FLOWS = 32

const SILENT = 4
const TRIED_CONNECTOR = 2
const FAILING_TARGET = 1

/**
 * Chooses the connection for a flow: health first, always, since nothing makes up for it; then the criteria in order, each
 * only where those before it leave a tie (U-15). By default the connector of the greatest weight, then the one with the fewest
 * flows, then the shortest round trip.
 *
 * Among equal connections of one connector flows keep together, up to a number: what leaves in one write costs less than what
 * leaves in four, and all four end at the same two processes.
 */
export class Choice {
  readonly #order: readonly Criterion[]

  /**
   * @param prefer criteria in order; those not named follow in their own order
   * @throws {HawserError} `options_invalid`
   */
  constructor(prefer: readonly string[] = []) {
    for (const [at, name] of prefer.entries()) {
      if (isCriterion(name) && prefer.indexOf(name) === at) continue
      const message = `prefer: expected each of ${CRITERIA.join(', ')} at most once, got ${JSON.stringify(name)}`
      throw new HawserError('options_invalid', message)
    }
    this.#order = [...new Set([...prefer.filter(isCriterion), ...CRITERIA])]
  }

  /**
   * On the path of every new connection: makes nothing, sorts nothing.
   *
   * @param connections those of one connector next to each other
   * @param except those that were tried; others of the same connectors are a last resort
   */
  of(
    connections: readonly ConnectorConnection[],
    target: ChoiceTarget | undefined,
    except: ReadonlySet<Dialer> | undefined,
  ): ConnectorConnection | undefined {
    let best: ConnectorConnection | undefined
    let bestFault = 0
    let bestFlows = 0
    for (let at = 0; at < connections.length;) {
      const { id } = connections[at]?.connector ?? {}
      let own: ConnectorConnection | undefined
      let ownFault = 0
      let flows = 0
      for (; connections[at]?.connector.id === id; at += 1) {
        const connection = connections[at]
        if (connection?.accepting !== true) continue
        flows += connection.activeStreams
        if (except?.has(connection) === true) continue
        let fault = faultOf(connection, target)
        if (except !== undefined && isOfTried(connection, connections, except)) fault += TRIED_CONNECTOR
        if (own !== undefined && (fault > ownFault || (fault === ownFault && !isFitter(connection, own)))) continue
        own = connection
        ownFault = fault
      }
      if (own === undefined) continue
      if (best !== undefined) {
        if (ownFault > bestFault) continue
        if (ownFault === bestFault && !this.#isBetter(own, flows, best, bestFlows)) continue
      }
      best = own
      bestFault = ownFault
      bestFlows = flows
    }
    return best
  }

  #isBetter(one: ConnectorConnection, flows: number, other: ConnectorConnection, otherFlows: number): boolean {
    for (let at = 0; at < this.#order.length; at += 1) {
      const criterion = this.#order[at]
      const mine = measure(criterion, one, flows)
      const its = measure(criterion, other, otherFlows)
      if (mine < its) return true
      if (mine > its) return false
    }
    return false
  }
}

/** Less is better. */
function measure(criterion: Criterion | undefined, connection: ConnectorConnection, flows: number): number {
  if (criterion === 'weight') return -connection.weight
  return criterion === 'flows' ? flows : connection.roundTripMs
}

/** Of two connections of one connector: the fuller one that has room, else the emptier one. */
function isFitter(one: ConnectorConnection, other: ConnectorConnection): boolean {
  const mine = one.activeStreams
  const its = other.activeStreams
  if (mine === its) return one.roundTripMs < other.roundTripMs
  return mine < PACKED_FLOWS && its < PACKED_FLOWS ? mine > its : mine < its
}

/** With every replica at fault the least faulty is tried all the same: a probe may be wrong. */
function faultOf(connection: ConnectorConnection, target: ChoiceTarget | undefined): number {
  const fault = connection.silent ? SILENT : 0
  if (target === undefined || connection.failing.length === 0) return fault
  for (const { host, port } of connection.failing) {
    if (port === target.port && host === target.host) return fault + FAILING_TARGET
  }
  return fault
}

function isOfTried(
  connection: ConnectorConnection,
  connections: readonly ConnectorConnection[],
  tried: ReadonlySet<Dialer>,
): boolean {
  return connections.some((other) => tried.has(other) && other.connector.id === connection.connector.id)
}

function isCriterion(name: string): name is Criterion {
  return (CRITERIA as readonly string[]).includes(name)
}
