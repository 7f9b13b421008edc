import { parseConnectorSettings } from '@hawser/core'
import type { ConnectorSettings, Probe } from '@hawser/core'
import { parseCidr, parseHost } from '@hawser/policy'
import type { Engine } from './engine.ts'
import { checkTunnel } from './references.ts'
import { guardStorage } from './storage-error.ts'

/** What the connectors of one tunnel are told to do. */
export interface TunnelConfiguration {
  /** Counts from 1 with each change; 0 where there never was one. */
  readonly version: number
  /** ISO 8601, UTC; undefined where there never was a change. */
  readonly createdAt: string | undefined
  readonly settings: ConnectorSettings
}

/** The configurations of one directory's tunnels. All methods reject with `storage_failed` when the database does. */
export interface TunnelConfigurationStore {
  /** Of version 0, which asks for nothing, where none was stored. */
  get(tunnelId: string): Promise<TunnelConfiguration>
  /**
   * Takes the place of the one before.
   *
   * @param settings as they came, see `parseConnectorSettings`
   * @throws {HawserError} `options_invalid` naming the field, `not_found` for the tunnel
   */
  put(tunnelId: string, settings: unknown): Promise<TunnelConfiguration>
}

const NONE: TunnelConfiguration = { version: 0, createdAt: undefined, settings: parseConnectorSettings({}) }

/** {@link TunnelConfigurationStore} in SQL, for every engine. */
export class SqlTunnelConfigurationStore implements TunnelConfigurationStore {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  get(tunnelId: string): Promise<TunnelConfiguration> {
    return guardStorage('read the configuration of the tunnel', async () => {
      const query = this.#engine.db.selectFrom('tunnel_configurations').selectAll()
      const row = await query.where('tunnel_id', '=', tunnelId).executeTakeFirst()
      if (row === undefined) return NONE
      const settings = parseConnectorSettings(JSON.parse(row.settings))
      return { version: Number(row.version), createdAt: row.created_at, settings }
    })
  }

  put(tunnelId: string, given: unknown): Promise<TunnelConfiguration> {
    return guardStorage('store the configuration of the tunnel', async () => {
      const settings = canonical(parseConnectorSettings(given))
      return this.#engine.db.transaction().execute(async (db) => {
        await checkTunnel(db, tunnelId)
        const query = db.selectFrom('tunnel_configurations').select('version').where('tunnel_id', '=', tunnelId)
        const version = Number((await query.executeTakeFirst())?.version ?? 0) + 1
        const created_at = new Date().toISOString()
        const row = { version: String(version), created_at, settings: JSON.stringify(settings) }
        await db
          .insertInto('tunnel_configurations')
          .values({ tunnel_id: tunnelId, ...row })
          .onConflict((conflict) => conflict.column('tunnel_id').doUpdateSet(row))
          .execute()
        return { version, createdAt: created_at, settings }
      })
    })
  }
}

/** Checks what only the address rules know, and writes hosts as flows will name them. */
function canonical(settings: ConnectorSettings): ConnectorSettings {
  for (const list of ['allow', 'deny'] as const) {
    for (const [at, text] of settings[list].entries()) parseCidr(text, `${list}[${at}]`)
  }
  return { ...settings, probes: settings.probes.map(canonicalProbe) }
}

function canonicalProbe(probe: Probe): Probe {
  const parsed = parseHost(probe.host.includes(':') ? `[${probe.host}]` : probe.host)
  return { ...probe, host: parsed.kind === 'ip' ? parsed.ip : parsed.name }
}
