import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * Every step that a directory of any age has to take, run in the order of their names. A step that was released is never
 * changed; it uses the schema builder alone, so that it runs on each engine.
 */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_tunnels_and_tokens': { up: tunnelsAndTokens },
  '0002_services_and_clients': { up: servicesAndClients },
  '0003_routing': { up: routing },
  '0004_tunnel_states': { up: tunnelStates },
}

async function tunnelsAndTokens(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('settings')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('tunnels')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('deleted_at', 'text')
    .addColumn('sealed_secret', 'text')
    .execute()
  await db.schema
    .createIndex('tunnels_live_name')
    .unique()
    .on('tunnels')
    .column('name')
    .where(sql.ref('deleted_at'), 'is', null) // only names in use are unique
    .execute()
  await db.schema
    .createTable('api_tokens')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull().unique())
    .execute()
}

async function servicesAndClients(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('services')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('tunnel_id', 'text', (column) => column.notNull())
    .addColumn('host', 'text', (column) => column.notNull())
    .addColumn('http_port', 'text')
    .addColumn('https_port', 'text')
    .addColumn('tcp_port', 'text')
    .addColumn('verify', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('clients')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('sealed_secret', 'text', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('client_grants')
    .addColumn('client_id', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('target_id', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('client_grants_key', ['client_id', 'kind', 'target_id'])
    .execute()
}

async function routing(db: Kysely<unknown>): Promise<void> {
  await virtualNetworks(db)
  await db.schema
    .createTable('routes')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('network', 'text', (column) => column.notNull())
    .addColumn('first_address', 'text', (column) => column.notNull())
    .addColumn('last_address', 'text', (column) => column.notNull())
    .addColumn('tunnel_id', 'text', (column) => column.notNull())
    .addColumn('virtual_network_id', 'text', (column) => column.notNull())
    .addColumn('comment', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('deleted_at', 'text')
    .execute()
  await db.schema
    .createTable('hostname_routes')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('hostname', 'text', (column) => column.notNull())
    .addColumn('tunnel_id', 'text', (column) => column.notNull())
    .addColumn('comment', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('deleted_at', 'text')
    .execute()
  await uniqueWhileLive(db, 'routes', ['virtual_network_id', 'network'])
  await uniqueWhileLive(db, 'hostname_routes', ['hostname'])
  await db.schema.createIndex('routes_of_tunnel').on('routes').column('tunnel_id').execute()
  // All that an edge reads of them, in the order in which it does: a million rows are not looked up one by one.
  await whileLive(db, 'routes_loaded', 'routes', ['virtual_network_id', 'network', 'tunnel_id']).execute()
  await whileLive(db, 'hostname_routes_loaded', 'hostname_routes', ['hostname', 'tunnel_id']).execute()
  for (const column of ['other_host', 'resolver_ips', 'app_protocol', 'updated_at']) {
    await db.schema.alterTable('services').addColumn(column, 'text').execute()
  }
}

/** With the one that there always is. */
async function virtualNetworks(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('virtual_networks')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('comment', 'text', (column) => column.notNull())
    .addColumn('is_default', 'text')
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('deleted_at', 'text')
    .execute()
  await uniqueWhileLive(db, 'virtual_networks', ['name'])
  await uniqueWhileLive(db, 'virtual_networks', ['is_default']) // null, of all others, is never the same as null
  const tables = db as Kysely<{ virtual_networks: Record<string, string | null> }>
  const created_at = new Date().toISOString()
  const first = { id: randomUUID(), name: 'default', comment: '', is_default: 'yes', created_at, deleted_at: null }
  await tables.insertInto('virtual_networks').values(first).execute()
}

/** What is deleted keeps its row and does not count. */
async function uniqueWhileLive(db: Kysely<unknown>, table: string, columns: readonly string[]): Promise<void> {
  await whileLive(db, `${table}_live_${columns.join('_')}`, table, columns)
    .unique()
    .execute()
}

function whileLive(db: Kysely<unknown>, name: string, table: string, columns: readonly string[]) {
  const index = db.schema
    .createIndex(name)
    .on(table)
    .columns([...columns])
  return index.where(sql.ref('deleted_at'), 'is', null)
}

async function tunnelStates(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('tunnel_configurations')
    .addColumn('tunnel_id', 'text', (column) => column.primaryKey())
    .addColumn('version', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('settings', 'text', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('tunnel_activity')
    .addColumn('tunnel_id', 'text', (column) => column.primaryKey())
    .addColumn('active_at', 'text', (column) => column.notNull())
    .addColumn('inactive_at', 'text')
    .execute()
}
