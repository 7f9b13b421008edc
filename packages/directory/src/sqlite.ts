import { open } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import type { SQLInputValue } from 'node:sqlite'
import { HawserError } from '@hawser/core'
import { CompiledQuery, Kysely, SqliteAdapter, SqliteDialect, SqliteDriver } from 'kysely'
import type { DatabaseConnection, DialectAdapter, Driver, SqliteDatabase } from 'kysely'
import type { Engine } from './engine.ts'
import type { Database, Schema } from './schema.ts'

/** Waiting blocks this whole process, since node:sqlite is synchronous; writers hold the lock for microseconds. */
const BUSY_TIMEOUT_MS = 5_000
/** The file holds sealed secrets and token hashes: nobody else's business. */
const FILE_MODE = 0o600
const IN_MEMORY = ':memory:'

/** Result codes of SQLite, sqlite.org/rescode.html. */
const SQLITE_BUSY = 5
const SQLITE_CONSTRAINT_PRIMARYKEY = 1555
const SQLITE_CONSTRAINT_UNIQUE = 2067

/**
 * Opens or creates a SQLite file, checks that it is whole, and prepares it for use by several processes.
 *
 * @param file a path, or `:memory:`
 * @param busyTimeoutMs how long a query waits for another process that is writing
 * @throws {HawserError} `storage_failed` naming the file
 */
export async function openSqlite(file: string, busyTimeoutMs: number = BUSY_TIMEOUT_MS): Promise<Engine> {
  try {
    // SQLite would create it with the umask alone; its side files take the mode of this one.
    if (file !== IN_MEMORY) await (await open(file, 'a', FILE_MODE)).close()
    const database = new DatabaseSync(file, { timeout: busyTimeoutMs })
    try {
      prepare(database, busyTimeoutMs)
    } catch (error) {
      database.close()
      throw error
    }
    return engineOf(database)
  } catch (error) {
    if (HawserError.is(error)) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new HawserError('storage_failed', `the directory ${file} cannot be opened: ${reason}`, { cause: error })
  }
}

function engineOf(database: DatabaseSync): Engine {
  const db = new Kysely<Schema>({ dialect: new NodeSqliteDialect({ database: adapted(database) }) })
  let closing: Promise<void> | undefined
  return {
    db,
    isDuplicate: (error) => {
      const code = resultCode(error)
      return code === SQLITE_CONSTRAINT_UNIQUE || code === SQLITE_CONSTRAINT_PRIMARYKEY
    },
    close: () => (closing ??= release(db, database)),
  }
}

async function release(db: Database, database: DatabaseSync): Promise<void> {
  try {
    await db.connection().execute(() => Promise.resolve()) // there is one, so this waits for all who asked before
    await db.destroy()
  } finally {
    if (database.isOpen) database.close() // Kysely leaves a database alone that it never used
  }
}

function prepare(database: DatabaseSync, busyTimeoutMs: number): void {
  useWriteAheadLog(database, busyTimeoutMs)
  database.exec('PRAGMA foreign_keys = ON')
  database.exec('PRAGMA synchronous = NORMAL') // with the log: no corruption on power loss, at worst a lost last write
  database.exec('PRAGMA secure_delete = ON') // a wiped secret leaves no bytes in the file's free space
  const found = database.prepare('PRAGMA quick_check(1)').get()
  const report = found?.['quick_check']
  if (report !== 'ok') throw new Error(`the file is damaged: ${String(report)}`)
}

/** Readers and one writer at the same time. While another process recovers the log, the switch does not wait: retry it. */
function useWriteAheadLog(database: DatabaseSync, busyTimeoutMs: number): void {
  const deadline = Date.now() + busyTimeoutMs
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if ((resultCode(error) ?? 0) % 256 !== SQLITE_BUSY || Date.now() > deadline) throw error
    }
  }
}

function resultCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode : undefined
}

/** node:sqlite in the shape that Kysely's dialect expects. */
function adapted(database: DatabaseSync): SqliteDatabase {
  return {
    close: () => database.close(),
    prepare(sql) {
      const statement = database.prepare(sql)
      const bind = (parameters: readonly unknown[]): SQLInputValue[] => parameters as SQLInputValue[]
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...bind(parameters)),
        run: (parameters) => statement.run(...bind(parameters)),
        iterate: (parameters) => statement.iterate(...bind(parameters)),
      }
    },
  }
}

class NodeSqliteDialect extends SqliteDialect {
  readonly #database: SqliteDatabase

  constructor(config: { readonly database: SqliteDatabase }) {
    super(config)
    this.#database = config.database
  }

  override createAdapter(): DialectAdapter {
    return new TransactionalDdlAdapter()
  }

  override createDriver(): Driver {
    return new ImmediateDriver({ database: this.#database })
  }
}

/** SQLite does roll back `create table`, so migrations can run in one transaction: all of them or none. */
class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/**
 * Takes the write lock at the start of a transaction. One that begins by reading and writes later fails at once, without
 * waiting, if another process wrote in between: exactly what two processes that migrate at the same time do.
 */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }
}
