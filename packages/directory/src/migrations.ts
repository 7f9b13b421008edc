import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * Every step that a directory of any age has to take, run in the order of their names. A step that was released is never
 * changed; it uses the schema builder alone, so that it runs on each engine.
 */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_tunnels_and_tokens': { up: tunnelsAndTokens },
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
