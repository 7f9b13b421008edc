import type { Engine } from './engine.ts'
import { guardStorage } from './storage-error.ts'

/** When connectors came to a tunnel and left it last; ISO 8601, UTC. */
export interface TunnelActivity {
  /** When the first one came after there had been none. */
  readonly activeAt: string
  /** When the last one left; undefined since one came. */
  readonly inactiveAt: string | undefined
}

/** Who was there, of one directory's tunnels. All methods reject with `storage_failed` when the database does. */
export interface TunnelActivityStore {
  /** By tunnel; those that never had a connector are missing. */
  list(): Promise<ReadonlyMap<string, TunnelActivity>>
  /** Undefined for a tunnel that never had a connector. */
  get(tunnelId: string): Promise<TunnelActivity | undefined>
  /** A connector has come where there was none, or the last one has left. */
  note(tunnelId: string, active: boolean): Promise<void>
}

interface Row {
  readonly active_at: string
  readonly inactive_at: string | null
}

/** {@link TunnelActivityStore} in SQL, for every engine. */
export class SqlTunnelActivityStore implements TunnelActivityStore {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  list(): Promise<ReadonlyMap<string, TunnelActivity>> {
    return guardStorage('list the activity of tunnels', async () => {
      const rows = await this.#engine.db.selectFrom('tunnel_activity').selectAll().execute()
      return new Map(rows.map((row) => [row.tunnel_id, activityOf(row)]))
    })
  }

  get(tunnelId: string): Promise<TunnelActivity | undefined> {
    return guardStorage('read the activity of the tunnel', async () => {
      const query = this.#engine.db.selectFrom('tunnel_activity').selectAll().where('tunnel_id', '=', tunnelId)
      const row = await query.executeTakeFirst()
      return row && activityOf(row)
    })
  }

  note(tunnelId: string, active: boolean): Promise<void> {
    return guardStorage('note the activity of the tunnel', async () => {
      const now = new Date().toISOString()
      const change = active ? { active_at: now, inactive_at: null } : { inactive_at: now }
      await this.#engine.db
        .insertInto('tunnel_activity')
        .values({ tunnel_id: tunnelId, active_at: now, inactive_at: change.inactive_at })
        .onConflict((conflict) => conflict.column('tunnel_id').doUpdateSet(change))
        .execute()
    })
  }
}

function activityOf({ active_at, inactive_at }: Row): TunnelActivity {
  return { activeAt: active_at, inactiveAt: inactive_at ?? undefined }
}
