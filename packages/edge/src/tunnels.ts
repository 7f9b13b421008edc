import { HawserError } from '@hawser/core'
import type { Dialer, Logger } from '@hawser/core'
import type { ConnectorConnection } from '@hawser/tunnel'
import { Choice } from './choice.ts'
import type { ChoiceTarget } from './choice.ts'
import type { TunnelRoutes } from './flow/context.ts'

/** What the registry asks of the directory, and only where a call has failed already. */
export interface TunnelLookup {
  get(id: string): Promise<{ readonly name: string; readonly deletedAt?: unknown } | undefined>
}

/** The connections that connectors hold to this edge, by tunnel. */
export class Tunnels implements TunnelRoutes {
  readonly #directory: TunnelLookup
  readonly #logger: Logger
  readonly #choice: Choice
  /** Arrays, since choosing goes through them for every new connection and changing them is rare. */
  readonly #live = new Map<string, ConnectorConnection[]>()

  /** Told when a tunnel gets its first connection, and when it loses its last. */
  onActivity: ((tunnelId: string, active: boolean) => void) | undefined

  /** @param prefer see {@link Choice} */
  constructor(directory: TunnelLookup, logger: Logger, prefer?: readonly string[]) {
    this.#directory = directory
    this.#logger = logger
    this.#choice = new Choice(prefer)
  }

  /** Takes a connection into service until it closes. */
  add(connection: ConnectorConnection): void {
    const { tunnelId, connector, remoteAddress } = connection
    const fields = { tunnel: tunnelId, connector: connector.id, connection: connection.id }
    const ofTunnel = this.#live.get(tunnelId) ?? []
    const sibling = ofTunnel.findLastIndex((other) => other.connector.id === connector.id)
    ofTunnel.splice(sibling < 0 ? ofTunnel.length : sibling + 1, 0, connection) // next to its siblings, see Choice
    this.#live.set(tunnelId, ofTunnel)
    if (ofTunnel.length === 1) this.onActivity?.(tunnelId, true)
    this.#logger.info('connector connected', { ...fields, remoteAddress, version: connector.version })
    connection.closed
      .catch((error: unknown) => HawserError.from(error, 'tunnel_closed'))
      .then((reason) => {
        ofTunnel.splice(ofTunnel.indexOf(connection), 1)
        if (ofTunnel.length === 0) {
          this.#live.delete(tunnelId)
          this.onActivity?.(tunnelId, false)
        }
        this.#logger.info('connector disconnected', { ...fields, code: reason?.code, reason: reason?.message })
      })
      .catch(() => {}) // a logger that throws is not our concern
  }

  /** Tunnels that have a connection, and all their connections. */
  live(): { readonly tunnels: number; readonly connections: number } {
    let connections = 0
    for (const ofTunnel of this.#live.values()) connections += ofTunnel.length
    return { tunnels: this.#live.size, connections }
  }

  of(tunnelId: string): readonly ConnectorConnection[] {
    return [...(this.#live.get(tunnelId) ?? [])]
  }

  pick(tunnelId: string, except?: ReadonlySet<Dialer>, target?: ChoiceTarget): ConnectorConnection | undefined {
    const connections = this.#live.get(tunnelId)
    return connections === undefined ? undefined : this.#choice.of(connections, target, except)
  }

  async explain(tunnelId: string): Promise<HawserError> {
    const tunnel = await this.#directory.get(tunnelId)
    if (tunnel === undefined) return unavailable(`there is no tunnel ${tunnelId}`)
    if (tunnel.deletedAt !== undefined && tunnel.deletedAt !== null) {
      return unavailable(`tunnel ${tunnel.name} (${tunnelId}) has been deleted`)
    }
    return unavailable(`tunnel ${tunnel.name} (${tunnelId}) has no connector now; start one: hawser connector run`)
  }
}

function unavailable(message: string): HawserError {
  return new HawserError('destination_unavailable', message)
}
