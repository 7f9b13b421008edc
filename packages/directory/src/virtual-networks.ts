import { randomUUID } from 'node:crypto'
import { HawserError } from '@hawser/core'
import type { Selectable } from 'kysely'
import type { Engine } from './engine.ts'
import { checkComment, checkName } from './names.ts'
import { notFound } from './references.ts'
import type { RoutingChanges } from './routing-changes.ts'
import type { Database, Schema } from './schema.ts'
import { guardStorage, guardUnique } from './storage-error.ts'

/** A route table of its own, for sites that use the same addresses (V-156). */
export interface VirtualNetwork {
  /** A UUID. */
  readonly id: string
  readonly name: string
  readonly comment: string
  /** Of exactly one: routes that name no network are in it. */
  readonly isDefault: boolean
  /** ISO 8601, UTC. */
  readonly createdAt: string
  /** ISO 8601, UTC; undefined while it is in use. */
  readonly deletedAt: string | undefined
}

export interface NewVirtualNetwork {
  /** 1 to 100 printable characters, unique among the networks that are not deleted. */
  readonly name: string
  /** @default '' */
  readonly comment?: string | undefined
  /** True takes the place of the default one. @default false */
  readonly isDefault?: boolean | undefined
}

/** What is left out, or undefined, stays as it is. */
export type VirtualNetworkChanges = { readonly [Key in keyof NewVirtualNetwork]?: NewVirtualNetwork[Key] | undefined }

export interface VirtualNetworkFilter {
  /** Exactly this name. */
  readonly name?: string | undefined
  readonly isDefault?: boolean | undefined
  /** Only those that are deleted, or only those that are not. @default false */
  readonly deleted?: boolean | undefined
}

/** The virtual networks of one directory; it begins with one. All methods reject with `storage_failed` when the database does. */
export interface VirtualNetworkStore {
  /** @throws {HawserError} `options_invalid` for a bad name or comment, `conflict` for a name in use */
  create(network: NewVirtualNetwork): Promise<VirtualNetwork>
  /** Oldest first. */
  list(filter?: VirtualNetworkFilter): Promise<readonly VirtualNetwork[]>
  /** Deleted ones too; undefined if there never was one. */
  get(id: string): Promise<VirtualNetwork | undefined>
  /** @throws {HawserError} as `create`, `not_found`, and `conflict` where no network would be the default any more */
  update(id: string, changes: VirtualNetworkChanges): Promise<VirtualNetwork>
  /**
   * @param force deletes its routes as well
   * @throws {HawserError} `not_found`; `conflict` for the default network, and for one with routes unless `force`
   */
  delete(id: string, force?: boolean): Promise<VirtualNetwork>
}

type Row = Selectable<Schema['virtual_networks']>

/** {@link VirtualNetworkStore} in SQL, for every engine. */
export class SqlVirtualNetworkStore implements VirtualNetworkStore {
  readonly #engine: Engine
  readonly #changes: RoutingChanges

  constructor(engine: Engine, changes: RoutingChanges) {
    this.#engine = engine
    this.#changes = changes
  }

  create({ name, comment = '', isDefault = false }: NewVirtualNetwork): Promise<VirtualNetwork> {
    return this.#write('create the virtual network', name, async (db) => {
      const row: Row = {
        id: randomUUID(),
        name: checkName(name, 'virtual network name'),
        comment: checkComment(comment),
        is_default: isDefault ? 'yes' : null,
        created_at: new Date().toISOString(),
        deleted_at: null,
      }
      if (isDefault) await dethrone(db)
      await db.insertInto('virtual_networks').values(row).execute()
      return row
    })
  }

  list({ name, isDefault, deleted = false }: VirtualNetworkFilter = {}): Promise<readonly VirtualNetwork[]> {
    return guardStorage('list virtual networks', async () => {
      let query = this.#engine.db.selectFrom('virtual_networks').selectAll().orderBy('created_at').orderBy('id')
      query = query.where('deleted_at', deleted ? 'is not' : 'is', null)
      if (name !== undefined) query = query.where('name', '=', name)
      if (isDefault !== undefined) query = query.where('is_default', isDefault ? 'is not' : 'is', null)
      return (await query.execute()).map(networkOf)
    })
  }

  get(id: string): Promise<VirtualNetwork | undefined> {
    return guardStorage('read the virtual network', async () => {
      const query = this.#engine.db.selectFrom('virtual_networks').selectAll().where('id', '=', id)
      const row = await query.executeTakeFirst()
      return row && networkOf(row)
    })
  }

  update(id: string, { name, comment, isDefault }: VirtualNetworkChanges): Promise<VirtualNetwork> {
    return this.#write('update the virtual network', name, async (db) => {
      const row = await liveRow(db, id)
      if (isDefault === false && row.is_default !== null) {
        throw new HawserError('conflict', `${row.name} is the default network; make another one the default instead`)
      }
      if (isDefault === true) await dethrone(db)
      const set = {
        name: name === undefined ? row.name : checkName(name, 'virtual network name'),
        comment: comment === undefined ? row.comment : checkComment(comment),
        is_default: isDefault === true ? ('yes' as const) : row.is_default,
      }
      await db.updateTable('virtual_networks').set(set).where('id', '=', id).execute()
      return { ...row, ...set }
    })
  }

  delete(id: string, force = false): Promise<VirtualNetwork> {
    return this.#write('delete the virtual network', undefined, async (db) => {
      const row = await liveRow(db, id)
      if (row.is_default !== null) throw new HawserError('conflict', `${row.name} is the default network and stays`)
      const deleted_at = new Date().toISOString()
      const routes = await db
        .updateTable('routes')
        .set({ deleted_at })
        .where('virtual_network_id', '=', id)
        .where('deleted_at', 'is', null)
        .executeTakeFirst()
      if (routes.numUpdatedRows > 0n && !force) {
        throw new HawserError('conflict', `virtual network ${row.name} still has ${routes.numUpdatedRows} route(s)`)
      }
      await db.updateTable('virtual_networks').set({ deleted_at }).where('id', '=', id).execute()
      return { ...row, deleted_at }
    })
  }

  async #write(what: string, name: string | undefined, work: (db: Database) => Promise<Row>): Promise<VirtualNetwork> {
    const taken = `a virtual network named ${JSON.stringify(name)} exists already`
    return networkOf(await guardUnique(this.#engine, what, taken, () => this.#changes.write(work)))
  }
}

/** @throws {HawserError} `not_found` */
async function liveRow(db: Database, id: string): Promise<Row> {
  const query = db.selectFrom('virtual_networks').selectAll().where('id', '=', id).where('deleted_at', 'is', null)
  const row = await query.executeTakeFirst()
  if (row === undefined) throw notFound('virtual network', id)
  return row
}

/** Makes room for another default: there is one at any time, and never two. */
async function dethrone(db: Database): Promise<void> {
  await db.updateTable('virtual_networks').set({ is_default: null }).where('is_default', '=', 'yes').execute()
}

function networkOf(row: Row): VirtualNetwork {
  return {
    id: row.id,
    name: row.name,
    comment: row.comment,
    isDefault: row.is_default !== null,
    createdAt: row.created_at,
    deletedAt: row.deleted_at ?? undefined,
  }
}
