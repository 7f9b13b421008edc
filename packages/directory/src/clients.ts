import { randomBytes, randomUUID } from 'node:crypto'
import { HawserError, Secret } from '@hawser/core'
import type { Engine } from './engine.ts'
import { checkName } from './names.ts'
import { checkTunnel, notFound } from './references.ts'
import type { Database } from './schema.ts'
import type { SecretBox } from './secret-box.ts'
import { guardStorage } from './storage-error.ts'

/** A program that calls into private networks through an edge, without being a Worker, and what it may reach. */
export interface Client {
  /** A UUID. */
  readonly id: string
  readonly name: string
  /** Ids of the tunnels whose networks it may use. */
  readonly networks: readonly string[]
  /** Ids of the VPC Services that it may use. */
  readonly services: readonly string[]
  /** ISO 8601, UTC. */
  readonly createdAt: string
}

/** What is told of a new one. Nothing that is not listed can be reached. */
export interface NewClient {
  readonly name: string
  readonly networks?: readonly string[] | undefined
  readonly services?: readonly string[] | undefined
}

/** The clients of one directory. All methods reject with `storage_failed` when the database does. */
export interface ClientStore {
  /**
   * @throws {HawserError} `options_invalid` for a bad name or nothing to reach, `not_found` for a tunnel or service that does
   * not exist, `conflict` for a name in use
   */
  create(client: NewClient): Promise<Client>
  /** Oldest first. */
  list(): Promise<readonly Client[]>
  /** By id, or else by name; undefined if there is none. */
  find(idOrName: string): Promise<Client | undefined>
  /** What it has to prove, base64; undefined if there is no client of this id. */
  secretOf(id: string): Promise<Secret | undefined>
  /** @throws {HawserError} `not_found` */
  delete(id: string): Promise<void>
}

const SECRET_BYTES = 32

type Row = { readonly id: string; readonly name: string; readonly created_at: string }

/** {@link ClientStore} in SQL, for every engine. Secrets are sealed under the client's id, as those of tunnels are. */
export class SqlClientStore implements ClientStore {
  readonly #engine: Engine
  readonly #box: SecretBox

  constructor(engine: Engine, box: SecretBox) {
    this.#engine = engine
    this.#box = box
  }

  create(client: NewClient): Promise<Client> {
    const { networks = [], services = [] } = client
    return guardStorage('create the client', async () => {
      const id = randomUUID()
      const name = checkName(client.name, 'client name')
      if (networks.length + services.length === 0) {
        throw new HawserError('options_invalid', 'networks: a client needs a network or a service that it may use')
      }
      await this.#checkTargets(networks, services)
      const secret = new Secret(randomBytes(SECRET_BYTES).toString('base64'))
      const row = { id, name, created_at: new Date().toISOString(), sealed_secret: this.#box.seal(secret, id) }
      const grants = [
        ...[...new Set(networks)].map((target_id) => ({ client_id: id, kind: 'network' as const, target_id })),
        ...[...new Set(services)].map((target_id) => ({ client_id: id, kind: 'service' as const, target_id })),
      ]
      try {
        await this.#engine.db.transaction().execute(async (db) => {
          await db.insertInto('clients').values(row).execute()
          await db.insertInto('client_grants').values(grants).execute()
        })
      } catch (error) {
        if (!this.#engine.isDuplicate(error)) throw error
        throw new HawserError('conflict', `a client named ${JSON.stringify(name)} exists already`, { cause: error })
      }
      return this.#withGrants(this.#engine.db, row)
    })
  }

  list(): Promise<readonly Client[]> {
    return guardStorage('list clients', async () => {
      const { db } = this.#engine
      const rows = await db.selectFrom('clients').select(['id', 'name', 'created_at']).orderBy('created_at').execute()
      return Promise.all(rows.map((row) => this.#withGrants(db, row)))
    })
  }

  find(idOrName: string): Promise<Client | undefined> {
    return guardStorage('read the client', async () => {
      const { db } = this.#engine
      const rows = await db
        .selectFrom('clients')
        .select(['id', 'name', 'created_at'])
        .where((where) => where.or([where('id', '=', idOrName), where('name', '=', idOrName)]))
        .execute()
      const row = rows.find(({ id }) => id === idOrName) ?? rows[0]
      return row && this.#withGrants(db, row)
    })
  }

  secretOf(id: string): Promise<Secret | undefined> {
    return guardStorage('read the client secret', async () => {
      const row = await this.#engine.db
        .selectFrom('clients')
        .select('sealed_secret')
        .where('id', '=', id)
        .executeTakeFirst()
      return row && this.#box.open(row.sealed_secret, id)
    })
  }

  delete(id: string): Promise<void> {
    return guardStorage('delete the client', async () => {
      const deleted = await this.#engine.db.transaction().execute(async (db) => {
        await db.deleteFrom('client_grants').where('client_id', '=', id).execute()
        return db.deleteFrom('clients').where('id', '=', id).executeTakeFirst()
      })
      if (deleted.numDeletedRows > 0n) return
      throw notFound('client', id)
    })
  }

  /** @throws {HawserError} `not_found`, naming the first that is missing */
  async #checkTargets(networks: readonly string[], services: readonly string[]): Promise<void> {
    const { db } = this.#engine
    for (const id of networks) await checkTunnel(db, id)
    for (const id of services) {
      const query = db.selectFrom('services').select('id').where('id', '=', id)
      if ((await query.executeTakeFirst()) === undefined) throw notFound('service', id)
    }
  }

  async #withGrants(db: Database, { id, name, created_at }: Row): Promise<Client> {
    const grants = await db
      .selectFrom('client_grants')
      .select(['kind', 'target_id'])
      .where('client_id', '=', id)
      .orderBy('target_id')
      .execute()
    const of = (kind: 'network' | 'service'): string[] =>
      grants.filter((grant) => grant.kind === kind).map((grant) => grant.target_id)
    return { id, name, networks: of('network'), services: of('service'), createdAt: created_at }
  }
}
