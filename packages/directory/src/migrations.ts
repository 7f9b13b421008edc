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
