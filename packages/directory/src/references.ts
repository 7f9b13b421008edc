import { HawserError } from '@hawser/core'
import type { Database } from './schema.ts'

/** Quotes no more than this of what was given. */
const MAX_QUOTED = 64

/** @param what `tunnel`, `route` */
export function notFound(what: string, id: string): HawserError {
  return new HawserError('not_found', `there is no ${what} ${JSON.stringify(id.slice(0, MAX_QUOTED))}`)
}

/** @throws {HawserError} `not_found` for a tunnel that does not exist or is deleted */
export async function checkTunnel(db: Database, id: string): Promise<void> {
  const query = db.selectFrom('tunnels').select('id').where('id', '=', id).where('deleted_at', 'is', null)
  if ((await query.executeTakeFirst()) === undefined) throw notFound('tunnel', id)
}

/**
 * The id of a virtual network, or of the default one where none is named.
 *
 * @throws {HawserError} `not_found` for one that does not exist or is deleted
 */
export async function virtualNetworkId(db: Database, id: string | undefined): Promise<string> {
  const live = db.selectFrom('virtual_networks').select('id').where('deleted_at', 'is', null)
  const query = id === undefined ? live.where('is_default', '=', 'yes') : live.where('id', '=', id)
  const row = await query.executeTakeFirst()
  if (row === undefined) throw notFound('virtual network', id ?? 'default')
  return row.id
}
