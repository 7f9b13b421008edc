import { Migrator } from 'kysely/migration'
import { MIGRATIONS } from './migrations.ts'
import type { Database } from './schema.ts'

/** What a store needs of a database, and all that differs between SQLite and PostgreSQL. */
export interface Engine {
  readonly db: Database
  /** True where the database refused a row because a unique index already holds its value. */
  isDuplicate(error: unknown): boolean
  /** Waits for queries under way, then releases the database. Safe to call twice. */
  close(): Promise<void>
}

/**
 * Brings the tables up to date. Safe to run from several processes at once: one does it, the others wait and find it done.
 *
 * @throws the database's own error
 */
export async function migrate(db: Database): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(MIGRATIONS) } })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw error
}
