import { HawserError } from '@hawser/core'
import type { Logger } from '@hawser/core'
import type { Directory, TunnelConfiguration } from '@hawser/directory'
import type { ConnectorConnection } from '@hawser/tunnel'
import type { Tunnels } from './tunnels.ts'

type States = Pick<Directory, 'tunnelActivity' | 'tunnelConfigurations'>

/**
 * What the directory keeps of tunnels while they run: who was connected when, which it is told, and what their connectors
 * are to do, which they are told. Nothing here is on the path of a flow, and no failure ends a connection.
 */
export class TunnelStates {
  readonly #directory: States
  readonly #tunnels: Tunnels
  readonly #logger: Logger
  /** Written one after the other, so that the last one counts. */
  #writing: Promise<void> = Promise.resolve()

  constructor(directory: States, tunnels: Tunnels, logger: Logger) {
    this.#directory = directory
    this.#tunnels = tunnels
    this.#logger = logger
    tunnels.onActivity = (tunnelId, active) => {
      this.#writing = this.#writing.then(() =>
        this.#try('note a tunnel’s activity', () => directory.tunnelActivity.note(tunnelId, active)),
      )
    }
  }

  /** Tells a new connection what its tunnel's connectors are to do. */
  onConnection(connection: ConnectorConnection): void {
    void this.#try('configure a connector', async () => {
      tell(connection, await this.#directory.tunnelConfigurations.get(connection.tunnelId))
    })
  }

  /** Tells all connectors of a tunnel that their configuration has changed. */
  async configure(tunnelId: string): Promise<void> {
    await this.#try('configure connectors', async () => {
      const configuration = await this.#directory.tunnelConfigurations.get(tunnelId)
      for (const connection of this.#tunnels.of(tunnelId)) tell(connection, configuration)
    })
  }

  /** Logs what has changed; each connection of a connector brings the same report, so only the first one's counts. */
  onReport(connection: ConnectorConnection): void {
    const { tunnelId, connector, report } = connection
    const first = this.#tunnels.of(tunnelId).find((other) => other.connector.id === connector.id)
    if (first !== connection) return
    this.#logger.debug('a connector reports', { tunnel: tunnelId, connector: connector.id, ...report })
  }

  /** Resolves once all has been written. */
  async close(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve)) // connections that have just closed are noted first
    await this.#writing
  }

  async #try(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      const { code, message: reason } = HawserError.from(error, 'proxy_internal_error')
      this.#logger.warn(`could not ${what}`, { code, reason })
    }
  }
}

/** A connector that was never told anything need not be told that there is nothing. */
function tell(connection: ConnectorConnection, { version, settings }: TunnelConfiguration): void {
  if (version > 0) connection.configure({ version, settings })
}
