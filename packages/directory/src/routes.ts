import { randomUUID } from 'node:crypto'
import { HawserError } from '@hawser/core'
import { compileCidrs, parseCidr } from '@hawser/policy'
import type { Expression, ExpressionBuilder, Selectable, SqlBool } from 'kysely'
import { blocksAround, readRange } from './address-range.ts'
import type { AddressRange } from './address-range.ts'
import type { Engine } from './engine.ts'
import { checkComment } from './names.ts'
import { checkTunnel, notFound, virtualNetworkId } from './references.ts'
import type { RoutingChanges } from './routing-changes.ts'
import type { Database, Schema } from './schema.ts'
import { FIRST_THOUSAND } from './slice.ts'
import type { Slice, Sliced } from './slice.ts'
import { guardStorage, guardUnique } from './storage-error.ts'

/** A block of addresses that is reached through a tunnel (V-151). */
export interface Route {
  /** A UUID. */
  readonly id: string
  /** `10.0.0.0/8` or `fd00::/8`, always with its prefix. */
  readonly network: string
  readonly tunnelId: string
  readonly virtualNetworkId: string
  readonly comment: string
  /** ISO 8601, UTC. */
  readonly createdAt: string
  /** ISO 8601, UTC; undefined while it is in use. */
  readonly deletedAt: string | undefined
  /** As they are called now. */
  readonly tunnelName: string
  readonly virtualNetworkName: string
}

export interface NewRoute {
  /** A block, or a single address. It may lie within others: the longest prefix wins (V-154). */
  readonly network: string
  readonly tunnelId: string
  /** @default the default network */
  readonly virtualNetworkId?: string | undefined
  /** @default '' */
  readonly comment?: string | undefined
}

/** What is left out, or undefined, stays as it is. */
export type RouteChanges = { readonly [Key in keyof NewRoute]?: NewRoute[Key] | undefined }

/** All of them must hold. */
export interface RouteFilter {
  readonly id?: string | undefined
  readonly tunnelId?: string | undefined
  readonly virtualNetworkId?: string | undefined
  readonly comment?: string | undefined
  /** Only those that are deleted, or only those that are not. @default false */
  readonly deleted?: boolean | undefined
  /** Those that lie within this block. */
  readonly within?: string | undefined
  /** Those that hold the whole of this block. */
  readonly around?: string | undefined
}

/** The routes of one directory. All methods reject with `storage_failed` when the database does. */
export interface RouteStore {
  /**
   * @throws {HawserError} `options_invalid` naming the field, `not_found` for the tunnel or the virtual network, `conflict` for
   * a block that has a route in that network already
   */
  create(route: NewRoute): Promise<Route>
  /**
   * By virtual network, then by address, the larger block first.
   *
   * @throws {HawserError} `options_invalid` for a block in the filter that is none
   */
  list(filter?: RouteFilter, slice?: Slice): Promise<Sliced<Route>>
  /** Deleted ones too; undefined if there never was one. */
  get(id: string): Promise<Route | undefined>
  /** @throws {HawserError} as `create`, and `not_found` for the route */
  update(id: string, changes: RouteChanges): Promise<Route>
  /** @throws {HawserError} `not_found` */
  delete(id: string): Promise<Route>
}

type Row = Selectable<Schema['routes']> & { readonly tunnel_name: string; readonly virtual_network_name: string }

/** The addresses of mesh nodes: a route within them would lead nodes' own traffic elsewhere (V-155). */
const MESH_RANGE = '100.96.0.0/12'
const isMeshAddress = compileCidrs([MESH_RANGE], 'mesh range')

/** {@link RouteStore} in SQL, for every engine. */
export class SqlRouteStore implements RouteStore {
  readonly #engine: Engine
  readonly #changes: RoutingChanges

  constructor(engine: Engine, changes: RoutingChanges) {
    this.#engine = engine
    this.#changes = changes
  }

  create(route: NewRoute): Promise<Route> {
    return this.#write('create the route', route.network, async (db) => {
      const range = readNetwork(route.network)
      const comment = checkComment(route.comment ?? '')
      await checkTunnel(db, route.tunnelId)
      const row = {
        id: randomUUID(),
        ...range,
        tunnel_id: route.tunnelId,
        virtual_network_id: await virtualNetworkId(db, route.virtualNetworkId),
        comment,
        created_at: new Date().toISOString(),
        deleted_at: null,
      }
      await db.insertInto('routes').values(row).execute()
      return row.id
    })
  }

  list(filter: RouteFilter = {}, { offset, limit }: Slice = FIRST_THOUSAND): Promise<Sliced<Route>> {
    return guardStorage('list routes', async () => {
      const wanted = matching(filter)
      const { db } = this.#engine
      const counted = db
        .selectFrom('routes')
        .where(wanted)
        .select((select) => select.fn.countAll<number>().as('count'))
      const { count } = await counted.executeTakeFirstOrThrow()
      const page = db
        .selectFrom('routes')
        .select('routes.id')
        .where(wanted)
        .orderBy('virtual_network_id')
        .orderBy('first_address')
        .orderBy('last_address', 'desc')
        .orderBy('id')
        .limit(limit)
        .offset(offset)
      const ids = (await page.execute()).map(({ id }) => id)
      const rows = new Map((await this.#rows(db, ids)).map((row) => [row.id, row]))
      return { items: ids.flatMap((id) => rows.get(id) ?? []).map(routeOf), total: Number(count) }
    })
  }

  get(id: string): Promise<Route | undefined> {
    return guardStorage('read the route', async () => {
      const [row] = await this.#rows(this.#engine.db, [id])
      return row && routeOf(row)
    })
  }

  update(id: string, changes: RouteChanges): Promise<Route> {
    return this.#write('update the route', changes.network, async (db) => {
      const { network, tunnelId, comment, virtualNetworkId: within } = changes
      if (tunnelId !== undefined) await checkTunnel(db, tunnelId)
      const set = {
        ...(network === undefined ? {} : readNetwork(network)),
        ...(tunnelId === undefined ? {} : { tunnel_id: tunnelId }),
        ...(within === undefined ? {} : { virtual_network_id: await virtualNetworkId(db, within) }),
        ...(comment === undefined ? {} : { comment: checkComment(comment) }),
      }
      return this.#set(db, id, set)
    })
  }

  delete(id: string): Promise<Route> {
    return this.#write('delete the route', undefined, (db) => {
      return this.#set(db, id, { deleted_at: new Date().toISOString() })
    })
  }

  async #set(db: Database, id: string, set: Partial<Schema['routes']>): Promise<string> {
    const query = db
      .updateTable('routes')
      .set({ id, ...set })
      .where('id', '=', id)
      .where('deleted_at', 'is', null)
    const { numUpdatedRows } = await query.executeTakeFirst()
    if (numUpdatedRows === 0n) throw notFound('route', id)
    return id
  }

  /** @param work gives the id of the route that it has written */
  async #write(what: string, network: string | undefined, work: (db: Database) => Promise<string>): Promise<Route> {
    const taken = `there is a route for ${network ?? 'this block'} in that virtual network already`
    const row = await guardUnique(this.#engine, what, taken, () =>
      this.#changes.write(async (db) => {
        const id = await work(db)
        return (await this.#rows(db, [id]))[0]
      }),
    )
    if (row === undefined) throw new HawserError('proxy_internal_error', `could not ${what}: it cannot be read back`)
    return routeOf(row)
  }

  #rows(db: Database, ids: readonly string[]): Promise<Row[]> {
    return db
      .selectFrom('routes')
      .innerJoin('tunnels', 'tunnels.id', 'routes.tunnel_id')
      .innerJoin('virtual_networks', 'virtual_networks.id', 'routes.virtual_network_id')
      .selectAll('routes')
      .select(['tunnels.name as tunnel_name', 'virtual_networks.name as virtual_network_name'])
      .where('routes.id', 'in', [...ids])
      .execute()
  }
}

/** @throws {HawserError} `options_invalid` */
function readNetwork(text: string): AddressRange {
  const range = readRange(text, 'network')
  const [literal = '', prefix] = range.network.split('/')
  if (Number(prefix) >= 12 && isMeshAddress(literal)) {
    throw new HawserError(
      'options_invalid',
      `network: ${range.network} lies within ${MESH_RANGE}, which mesh nodes use`,
    )
  }
  return range
}

/** Builds nothing before it has read the blocks, so that a bad one is told as such. */
function matching(filter: RouteFilter): (where: ExpressionBuilder<Schema, 'routes'>) => Expression<SqlBool> {
  const within = filter.within === undefined ? undefined : readRange(filter.within, 'network_subset')
  const around = filter.around === undefined ? undefined : blocksAround(parseCidr(filter.around, 'network_superset'))
  return (where) => {
    const conditions: Expression<SqlBool>[] = [where('deleted_at', filter.deleted === true ? 'is not' : 'is', null)]
    if (filter.id !== undefined) conditions.push(where('id', '=', filter.id))
    if (filter.tunnelId !== undefined) conditions.push(where('tunnel_id', '=', filter.tunnelId))
    if (filter.virtualNetworkId !== undefined)
      conditions.push(where('virtual_network_id', '=', filter.virtualNetworkId))
    if (filter.comment !== undefined) conditions.push(where('comment', '=', filter.comment))
    if (within !== undefined) {
      conditions.push(
        where('first_address', '>=', within.first_address),
        where('last_address', '<=', within.last_address),
      )
    }
    if (around !== undefined) conditions.push(where('network', 'in', around))
    return where.and(conditions)
  }
}

function routeOf(row: Row): Route {
  return {
    id: row.id,
    network: row.network,
    tunnelId: row.tunnel_id,
    virtualNetworkId: row.virtual_network_id,
    comment: row.comment,
    createdAt: row.created_at,
    deletedAt: row.deleted_at ?? undefined,
    tunnelName: row.tunnel_name,
    virtualNetworkName: row.virtual_network_name,
  }
}
