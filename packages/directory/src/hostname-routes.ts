import { randomUUID } from 'node:crypto'
import { HawserError } from '@hawser/core'
import { parseHost } from '@hawser/policy'
import { sql } from 'kysely'
import type { RawBuilder, Selectable, SqlBool } from 'kysely'
import type { Engine } from './engine.ts'
import { checkComment } from './names.ts'
import { checkTunnel, notFound } from './references.ts'
import type { RoutingChanges } from './routing-changes.ts'
import type { Database, Schema } from './schema.ts'
import { FIRST_THOUSAND } from './slice.ts'
import type { Slice, Sliced } from './slice.ts'
import { guardStorage, guardUnique } from './storage-error.ts'

/** A name, or all names one label below it, that a tunnel's connectors resolve and reach (V-152). It holds in every virtual network. */
export interface HostnameRoute {
  /** A UUID. */
  readonly id: string
  /** Lower case, without a trailing dot; `*.` at its beginning stands for exactly one label. */
  readonly hostname: string
  readonly tunnelId: string
  readonly comment: string
  /** ISO 8601, UTC. */
  readonly createdAt: string
  /** ISO 8601, UTC; undefined while it is in use. */
  readonly deletedAt: string | undefined
  /** As it is called now. */
  readonly tunnelName: string
}

export interface NewHostnameRoute {
  readonly hostname: string
  readonly tunnelId: string
  /** @default '' */
  readonly comment?: string | undefined
}

/** What is left out, or undefined, stays as it is. */
export type HostnameRouteChanges = { readonly [Key in keyof NewHostnameRoute]?: NewHostnameRoute[Key] | undefined }

/** All of them must hold. */
export interface HostnameRouteFilter {
  readonly id?: string | undefined
  readonly tunnelId?: string | undefined
  readonly comment?: string | undefined
  /** Those whose hostname holds this text, whatever its case. */
  readonly hostname?: string | undefined
  /** Only those that are deleted, or only those that are not. @default false */
  readonly deleted?: boolean | undefined
}

/** The hostname routes of one directory. All methods reject with `storage_failed` when the database does. */
export interface HostnameRouteStore {
  /**
   * @throws {HawserError} `options_invalid` naming the field, `not_found` for the tunnel, `conflict` for a hostname that has a
   * route already, whichever tunnel that leads to (V-153)
   */
  create(route: NewHostnameRoute): Promise<HostnameRoute>
  /** By hostname. */
  list(filter?: HostnameRouteFilter, slice?: Slice): Promise<Sliced<HostnameRoute>>
  /** Deleted ones too; undefined if there never was one. */
  get(id: string): Promise<HostnameRoute | undefined>
  /** @throws {HawserError} as `create`, and `not_found` for the route */
  update(id: string, changes: HostnameRouteChanges): Promise<HostnameRoute>
  /** @throws {HawserError} `not_found` */
  delete(id: string): Promise<HostnameRoute>
}

type Row = Selectable<Schema['hostname_routes']> & { readonly tunnel_name: string }

const WILDCARD = '*.'

/** {@link HostnameRouteStore} in SQL, for every engine. */
export class SqlHostnameRouteStore implements HostnameRouteStore {
  readonly #engine: Engine
  readonly #changes: RoutingChanges

  constructor(engine: Engine, changes: RoutingChanges) {
    this.#engine = engine
    this.#changes = changes
  }

  create(route: NewHostnameRoute): Promise<HostnameRoute> {
    return this.#write('create the hostname route', route.hostname, async (db) => {
      const hostname = readHostname(route.hostname)
      const comment = checkComment(route.comment ?? '')
      await checkTunnel(db, route.tunnelId)
      const created_at = new Date().toISOString()
      const row = { id: randomUUID(), hostname, tunnel_id: route.tunnelId, comment, created_at, deleted_at: null }
      await db.insertInto('hostname_routes').values(row).execute()
      return row.id
    })
  }

  list(filter: HostnameRouteFilter = {}, { offset, limit }: Slice = FIRST_THOUSAND): Promise<Sliced<HostnameRoute>> {
    return guardStorage('list hostname routes', async () => {
      let query = rowsOf(this.#engine.db).where(
        'hostname_routes.deleted_at',
        filter.deleted === true ? 'is not' : 'is',
        null,
      )
      if (filter.id !== undefined) query = query.where('hostname_routes.id', '=', filter.id)
      if (filter.tunnelId !== undefined) query = query.where('tunnel_id', '=', filter.tunnelId)
      if (filter.comment !== undefined) query = query.where('comment', '=', filter.comment)
      if (filter.hostname !== undefined) query = query.where(holding(filter.hostname))
      const counted = query.clearSelect().select((select) => select.fn.countAll<number>().as('count'))
      const { count } = await counted.executeTakeFirstOrThrow()
      const rows = await query.orderBy('hostname').orderBy('hostname_routes.id').limit(limit).offset(offset).execute()
      return { items: rows.map(routeOf), total: Number(count) }
    })
  }

  get(id: string): Promise<HostnameRoute | undefined> {
    return guardStorage('read the hostname route', async () => {
      const row = await rowsOf(this.#engine.db).where('hostname_routes.id', '=', id).executeTakeFirst()
      return row && routeOf(row)
    })
  }

  update(id: string, { hostname, tunnelId, comment }: HostnameRouteChanges): Promise<HostnameRoute> {
    return this.#write('update the hostname route', hostname, async (db) => {
      if (tunnelId !== undefined) await checkTunnel(db, tunnelId)
      return set(db, id, {
        ...(hostname === undefined ? {} : { hostname: readHostname(hostname) }),
        ...(tunnelId === undefined ? {} : { tunnel_id: tunnelId }),
        ...(comment === undefined ? {} : { comment: checkComment(comment) }),
      })
    })
  }

  delete(id: string): Promise<HostnameRoute> {
    const deleted_at = new Date().toISOString()
    return this.#write('delete the hostname route', undefined, (db) => set(db, id, { deleted_at }))
  }

  /** @param work gives the id of the route that it has written */
  #write(what: string, hostname: string | undefined, work: (db: Database) => Promise<string>): Promise<HostnameRoute> {
    const taken = `${JSON.stringify(hostname)} is already routed to a tunnel`
    return guardUnique(this.#engine, what, taken, () =>
      this.#changes.write(async (db) => {
        const id = await work(db)
        return routeOf(await rowsOf(db).where('hostname_routes.id', '=', id).executeTakeFirstOrThrow())
      }),
    )
  }
}

function rowsOf(db: Database) {
  return db
    .selectFrom('hostname_routes')
    .innerJoin('tunnels', 'tunnels.id', 'hostname_routes.tunnel_id')
    .selectAll('hostname_routes')
    .select('tunnels.name as tunnel_name')
}

async function set(db: Database, id: string, changes: Partial<Schema['hostname_routes']>): Promise<string> {
  const query = db.updateTable('hostname_routes').set({ id, ...changes })
  const { numUpdatedRows } = await query.where('id', '=', id).where('deleted_at', 'is', null).executeTakeFirst()
  if (numUpdatedRows === 0n) throw notFound('hostname route', id)
  return id
}

/**
 * The one spelling of a hostname.
 *
 * @throws {HawserError} `options_invalid` for addresses, for a wildcard that is not the whole first label, and for no name
 */
export function readHostname(text: string): string {
  const trimmed = text.trim()
  const isWildcard = trimmed.startsWith(WILDCARD)
  const name = isWildcard ? trimmed.slice(WILDCARD.length) : trimmed
  try {
    const host = parseHost(name)
    if (host.kind === 'name') return isWildcard ? WILDCARD + host.name : host.name
  } catch {
    // Said below, in one way for all of them.
  }
  const wanted = 'a name such as db.internal, or *.internal for any one label below internal'
  throw new HawserError('options_invalid', `hostname: expected ${wanted}, got ${JSON.stringify(trimmed.slice(0, 100))}`)
}

/** The text as it stands: in a pattern `_` and `%` stand for others, and `_` occurs in names. */
function holding(text: string): RawBuilder<SqlBool> {
  const pattern = `%${text.toLowerCase().replaceAll(/[\\%_]/g, String.raw`\$&`)}%`
  return sql<SqlBool>`hostname like ${pattern} escape '\\'`
}

function routeOf(row: Row): HostnameRoute {
  return {
    id: row.id,
    hostname: row.hostname,
    tunnelId: row.tunnel_id,
    comment: row.comment,
    createdAt: row.created_at,
    deletedAt: row.deleted_at ?? undefined,
    tunnelName: row.tunnel_name,
  }
}
