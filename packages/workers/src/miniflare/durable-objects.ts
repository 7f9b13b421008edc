import { HawserError } from '@hawser/core'
import type { Config } from '@cloudflare/workers-utils'

type Migration = Config['migrations'][number]

/** In wrangler's order: what is deleted makes room for what is renamed, and that for what is new. */
function applyMigration(classes: Map<string, boolean>, migration: Migration): void {
  const missing = (kind: string, name: string): HawserError =>
    new HawserError('config_invalid', `Cannot apply ${kind} migration to non-existent class ${name}`)
  for (const name of migration.deleted_classes ?? []) {
    if (!classes.delete(name)) throw missing('deleted_classes', name)
  }
  for (const { from, to } of migration.renamed_classes ?? []) {
    const sqlite = classes.get(from)
    if (sqlite === undefined) throw missing('renamed_classes', from)
    classes.delete(from)
    classes.set(to, sqlite)
  }
  for (const [kind, sqlite] of [
    ['new_classes', false],
    ['new_sqlite_classes', true],
  ] as const) {
    for (const name of migration[kind] ?? []) {
      if (classes.has(name))
        throw new HawserError('config_invalid', `Cannot apply ${kind} migration to existing class ${name}`)
      classes.set(name, sqlite)
    }
  }
}

/**
 * The Durable Object classes that exist after all `migrations`, or that `exports` declare, and whether each stores in SQLite.
 *
 * @throws {HawserError} `config_invalid`, in wrangler's words
 */
export function durableObjectClasses({
  migrations,
  exports,
}: Pick<Config, 'migrations' | 'exports'>): ReadonlyMap<string, boolean> {
  const classes = new Map<string, boolean>()
  for (const migration of migrations) applyMigration(classes, migration)
  for (const [name, entry] of Object.entries(exports)) {
    if (entry.type === 'durable-object' && 'storage' in entry) classes.set(name, entry.storage === 'sqlite')
  }
  return classes
}
