import { HawserError } from '@hawser/core'
import type { Dialer, Logger } from '@hawser/core'
import type { ConnectorConnection } from '@hawser/tunnel'
import type { TunnelRoutes } from './flow/context.ts'

/** What the registry asks of the directory, and only where a call has failed already. */
export interface TunnelLookup {
  get(id: string): Promise<{ readonly name: string; readonly deletedAt?: unknown } | undefined>
}

/** The connections that connectors hold to this edge, by tunnel. */
export class Tunnels implements TunnelRoutes {
  readonly #directory: TunnelLookup
  readonly #logger: Logger
  readonly #live = new Map<string, Set<ConnectorConnection>>()

  constructor(directory: TunnelLookup, logger: Logger) {
    this.#directory = directory
    this.#logger = logger
  }

  /** Takes a connection into service until it closes. */
  add(connection: ConnectorConnection): void {
    const { tunnelId, connector, remoteAddress } = connection
    const fields = { tunnel: tunnelId, connector: connector.id, connection: connection.id }
    const ofTunnel = this.#live.get(tunnelId) ?? new Set()
    this.#live.set(tunnelId, ofTunnel.add(connection))
    this.#logger.info('connector connected', { ...fields, remoteAddress, version: connector.version })
    connection.closed
      .catch((error: unknown) => HawserError.from(error, 'tunnel_closed'))
      .then((reason) => {
        ofTunnel.delete(connection)
        if (ofTunnel.size === 0 && this.#live.get(tunnelId) === ofTunnel) this.#live.delete(tunnelId)
        this.#logger.info('connector disconnected', { ...fields, code: reason?.code, message: reason?.message })
      })
      .catch(() => {}) // a logger that throws is not our concern
  }

  of(tunnelId: string): readonly ConnectorConnection[] {
    return [...(this.#live.get(tunnelId) ?? [])]
  }

  pick(tunnelId: string, except?: ReadonlySet<Dialer>): ConnectorConnection | undefined {
    let best: ConnectorConnection | undefined
    for (const connection of this.#live.get(tunnelId) ?? []) {
      if (except?.has(connection) === true) continue
      if (best === undefined || connection.activeStreams < best.activeStreams) best = connection
    }
    return best
  }

  async explain(tunnelId: string): Promise<HawserError> {
    const tunnel = await this.#directory.get(tunnelId)
    if (tunnel === undefined) return unavailable(`there is no tunnel ${tunnelId}`)
    if (tunnel.deletedAt !== undefined && tunnel.deletedAt !== null) {
      return unavailable(`tunnel ${tunnel.name} (${tunnelId}) has been deleted`)
    }
    return unavailable(`tunnel ${tunnel.name} (${tunnelId}) has no connector now; start one: hawser connector run`)
  }

  /** Ends all connections of one tunnel now, for a tunnel that has been deleted. */
  disconnect(tunnelId: string, reason: HawserError): void {
    for (const connection of this.of(tunnelId)) connection.abort(reason)
  }
}

function unavailable(message: string): HawserError {
  return new HawserError('destination_unavailable', message)
}
