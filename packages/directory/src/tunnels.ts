import { randomBytes, randomUUID } from 'node:crypto'
import { HawserError, Secret } from '@hawser/core'
import type { Selectable } from 'kysely'
import type { Engine } from './engine.ts'
import { checkName } from './names.ts'
import { notFound } from './references.ts'
import type { RoutingChanges } from './routing-changes.ts'
import type { Database, Schema } from './schema.ts'
import type { SecretBox } from './secret-box.ts'
import { guardStorage, guardUnique } from './storage-error.ts'

/** One tunnel, as it was when it was read. */
export interface Tunnel {
  /** A UUID. */
  readonly id: string
  readonly name: string
  /** ISO 8601, UTC. */
  readonly createdAt: string
  /** ISO 8601, UTC; undefined while the tunnel is in use. */
  readonly deletedAt: string | undefined
}

export interface NewTunnel {
  /** 1 to 100 printable characters, unique among the tunnels that are not deleted. */
  readonly name: string
  /** Base64 (RFC 4648 section 4, padded) of at least 32 bytes. @default 32 random bytes */
  readonly secret?: Secret | undefined
}

/** What is left out, or undefined, stays as it is. */
export interface TunnelChanges {
  readonly name?: string | undefined
  readonly secret?: Secret | undefined
}

export interface TunnelFilter {
  /** Exactly this name. */
  readonly name?: string | undefined
  /** @default false */
  readonly includeDeleted?: boolean | undefined
}

/** The tunnels of one directory. All methods reject with `storage_failed` when the database does. */
export interface TunnelStore {
  /**
   * @param id a UUID that a configuration already names; a random one unless given
   * @throws {HawserError} `options_invalid` for a bad name, secret or id, `conflict` for a name or an id in use
   */
  create(tunnel: NewTunnel, id?: string): Promise<Tunnel>
  /** Oldest first. */
  list(filter?: TunnelFilter): Promise<readonly Tunnel[]>
  /** Deleted tunnels too; undefined if there never was one. */
  get(id: string): Promise<Tunnel | undefined>
  /** @throws {HawserError} as `create`, and `not_found`; a new secret does not end connections made with the old one */
  update(id: string, changes: TunnelChanges): Promise<Tunnel>
  /**
   * Marks the tunnel deleted and wipes its secret; the row stays, for lists and logs.
   *
   * @param cascade deletes the routes that lead to it as well
   * @throws {HawserError} `not_found`, for a tunnel deleted before too; `conflict` while routes lead to it, unless `cascade`:
   * without them, addresses would go where a larger block leads
   */
  delete(id: string, cascade?: boolean): Promise<Tunnel>
  /** What a connector of this tunnel has to prove; undefined if there is no such tunnel or it is deleted. */
  secretOf(id: string): Promise<Secret | undefined>
}

const SECRET_BYTES = 32
/** As much as a token can reasonably carry. */
const MAX_SECRET_BYTES = 1_024
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

const COLUMNS = ['id', 'name', 'created_at', 'deleted_at'] as const
type Row = Pick<Selectable<Schema['tunnels']>, (typeof COLUMNS)[number]>

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function checkId(id: string): void {
  if (UUID.test(id)) return
  throw new HawserError(
    'options_invalid',
    `tunnel id: expected a UUID in lower case, got ${JSON.stringify(id.slice(0, 100))}`,
  )
}

/** {@link TunnelStore} in SQL, for every engine. */
export class SqlTunnelStore implements TunnelStore {
  readonly #engine: Engine
  readonly #box: SecretBox
  readonly #changes: RoutingChanges

  constructor(engine: Engine, box: SecretBox, changes: RoutingChanges) {
    this.#engine = engine
    this.#box = box
    this.#changes = changes
  }

  create(tunnel: NewTunnel, id: string = randomUUID()): Promise<Tunnel> {
    return this.#write('create the tunnel', tunnel.name, async () => {
      const name = checkName(tunnel.name, 'tunnel name')
      const secret = tunnel.secret === undefined ? randomSecret() : checkSecret(tunnel.secret)
      checkId(id)
      const row = { id, name, created_at: now(), deleted_at: null, sealed_secret: this.#box.seal(secret, id) }
      await this.#engine.db.insertInto('tunnels').values(row).execute()
      return tunnelOf(row)
    })
  }

  list(filter: TunnelFilter = {}): Promise<readonly Tunnel[]> {
    return guardStorage('list tunnels', async () => {
      let query = this.#engine.db.selectFrom('tunnels').select(COLUMNS).orderBy('created_at').orderBy('id')
      if (filter.name !== undefined) query = query.where('name', '=', filter.name)
      if (filter.includeDeleted !== true) query = query.where('deleted_at', 'is', null)
      return (await query.execute()).map(tunnelOf)
    })
  }

  get(id: string): Promise<Tunnel | undefined> {
    return guardStorage('read the tunnel', async () => {
      const row = await this.#engine.db.selectFrom('tunnels').select(COLUMNS).where('id', '=', id).executeTakeFirst()
      return row && tunnelOf(row)
    })
  }

  update(id: string, changes: TunnelChanges): Promise<Tunnel> {
    return this.#write('update the tunnel', changes.name, () => {
      const changed = {
        ...(changes.name === undefined ? {} : { name: checkName(changes.name, 'tunnel name') }),
        ...(changes.secret === undefined ? {} : { sealed_secret: this.#box.seal(checkSecret(changes.secret), id) }),
      }
      return Object.keys(changed).length === 0 ? this.#getLive(id) : set(this.#engine.db, id, changed)
    })
  }

  delete(id: string, cascade = false): Promise<Tunnel> {
    return guardStorage('delete the tunnel', () =>
      this.#changes.write(async (db) => {
        const deleted_at = now()
        const tunnel = await set(db, id, { deleted_at, sealed_secret: null })
        let routes = 0n
        for (const table of ['routes', 'hostname_routes'] as const) {
          const query = db.updateTable(table).set({ deleted_at }).where('tunnel_id', '=', id)
          routes += (await query.where('deleted_at', 'is', null).executeTakeFirst()).numUpdatedRows
        }
        if (routes === 0n || cascade) return tunnel
        throw new HawserError('conflict', `${routes} route(s) lead to tunnel ${tunnel.name}`) // and nothing is deleted
      }),
    )
  }

  secretOf(id: string): Promise<Secret | undefined> {
    return guardStorage('read the tunnel secret', async () => {
      const row = await this.#engine.db
        .selectFrom('tunnels')
        .select('sealed_secret')
        .where('id', '=', id)
        .where('deleted_at', 'is', null)
        .executeTakeFirst()
      const sealed = row?.sealed_secret ?? undefined
      return sealed === undefined ? undefined : this.#box.open(sealed, id)
    })
  }

  async #getLive(id: string): Promise<Tunnel> {
    const tunnel = await this.get(id)
    if (tunnel === undefined || tunnel.deletedAt !== undefined) throw notFound('tunnel', id)
    return tunnel
  }

  #write(what: string, name: string | undefined, work: () => Promise<Tunnel>): Promise<Tunnel> {
    return guardUnique(this.#engine, what, `a tunnel named ${JSON.stringify(name)} exists already`, work)
  }
}

/** @throws {HawserError} `not_found` for a tunnel that does not exist or is deleted */
async function set(db: Database, id: string, changes: Partial<Omit<Schema['tunnels'], 'id'>>): Promise<Tunnel> {
  const query = db.updateTable('tunnels').set(changes).where('id', '=', id).where('deleted_at', 'is', null)
  const row = await query.returning(COLUMNS).executeTakeFirst()
  if (row === undefined) throw notFound('tunnel', id)
  return tunnelOf(row)
}

function randomSecret(): Secret {
  return new Secret(randomBytes(SECRET_BYTES).toString('base64'))
}

function checkSecret(secret: Secret): Secret {
  const text = secret.reveal()
  const bytes = BASE64.test(text) ? Buffer.byteLength(text, 'base64') : 0
  if (bytes >= SECRET_BYTES && bytes <= MAX_SECRET_BYTES) return secret
  const wanted = `base64 of ${SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes`
  throw new HawserError('options_invalid', `tunnel secret: expected ${wanted}, got something else`)
}

function tunnelOf(row: Row): Tunnel {
  return { id: row.id, name: row.name, createdAt: row.created_at, deletedAt: row.deleted_at ?? undefined }
}

function now(): string {
  return new Date().toISOString()
}
