import { setImmediate as turn } from 'node:timers/promises'
import { RoutingBuilder } from './routing-snapshot.ts'
import type { RoutingSnapshot } from './routing-snapshot.ts'
import type { Database, Schema } from './schema.ts'
import { serviceOf } from './services.ts'

/** Rows read at once: the database is synchronous, and calls of Workers go on between two pieces. */
const PIECE = 10_000

/**
 * Reads everything that decides the way of a call.
 *
 * @param version what `RoutingFeed.version` said before
 * @throws the database's own error
 */
export async function loadRouting(db: Database, version: string): Promise<RoutingSnapshot> {
  const builder = new RoutingBuilder()
  const networks = db.selectFrom('virtual_networks').select(['id', 'name', 'is_default'])
  for (const { id, name, is_default } of await networks.where('deleted_at', 'is', null).execute()) {
    builder.network({ id, name, isDefault: is_default !== null })
    await inPieces<RouteRow>(
      (last) => routesAfter(db, id, last?.network ?? ''),
      (row) => builder.route(row.network, row.tunnel_id, id),
    )
  }
  await inPieces<HostnameRow>(
    (last) => hostnamesAfter(db, last?.hostname ?? ''),
    (row) => builder.hostname(row.hostname, row.tunnel_id),
  )
  for (const row of await db.selectFrom('services').selectAll().execute()) builder.service(serviceOf(row))
  return builder.build(version)
}

type RouteRow = Pick<Schema['routes'], 'network' | 'tunnel_id'>
type HostnameRow = Pick<Schema['hostname_routes'], 'hostname' | 'tunnel_id'>

function routesAfter(db: Database, virtualNetworkId: string, network: string): Promise<RouteRow[]> {
  return db
    .selectFrom('routes')
    .select(['network', 'tunnel_id'])
    .where('deleted_at', 'is', null)
    .where('virtual_network_id', '=', virtualNetworkId)
    .where('network', '>', network)
    .orderBy('network')
    .limit(PIECE)
    .execute()
}

function hostnamesAfter(db: Database, hostname: string): Promise<HostnameRow[]> {
  return db
    .selectFrom('hostname_routes')
    .select(['hostname', 'tunnel_id'])
    .where('deleted_at', 'is', null)
    .where('hostname', '>', hostname)
    .orderBy('hostname')
    .limit(PIECE)
    .execute()
}

/** @param read the rows that follow one in the order of the list, or the first; at most {@link PIECE} */
async function inPieces<Row>(
  read: (last: Row | undefined) => Promise<readonly Row[]>,
  take: (row: Row) => void,
): Promise<void> {
  let rows = await read(undefined)
  while (rows.length > 0) {
    for (const row of rows) take(row)
    if (rows.length < PIECE) return
    await turn()
    rows = await read(rows.at(-1))
  }
}
