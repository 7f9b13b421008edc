import { randomUUID } from 'node:crypto'
import type { Transaction } from 'kysely'
import type { Engine } from './engine.ts'
import type { Schema } from './schema.ts'
import { guardStorage } from './storage-error.ts'

/** Tells that something has changed on which the ways of calls depend: a route, a network, a service, a tunnel's end. */
export interface RoutingFeed {
  /** Another text after each change, whichever process made it. */
  version(): Promise<string>
  /**
   * Calls `listener` after each change that is made through this directory object.
   *
   * @returns a function that ends it
   */
  subscribe(listener: () => void): () => void
}

/** Where the stores report what they change. */
export class RoutingChanges implements RoutingFeed {
  readonly #engine: Engine
  readonly #listeners = new Set<() => void>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Runs `work` in a transaction that gives routing another version, and tells listeners once that is done. */
  async write<T>(work: (db: Transaction<Schema>) => Promise<T>): Promise<T> {
    const result = await this.#engine.db.transaction().execute(async (db) => {
      const done = await work(db)
      const value = randomUUID()
      await db
        .insertInto('settings')
        .values({ name: 'routing_version', value })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
        .execute()
      return done
    })
    for (const listener of this.#listeners) listener()
    return result
  }

  version(): Promise<string> {
    return guardStorage('read the version of routing', async () => {
      const query = this.#engine.db.selectFrom('settings').select('value').where('name', '=', 'routing_version')
      return (await query.executeTakeFirst())?.value ?? ''
    })
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}
