import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { HawserError, Secret } from '@hawser/core'
import type { Engine } from './engine.ts'
import { checkName } from './names.ts'
import { guardStorage } from './storage-error.ts'

/** An API token without its text, which is not kept. */
export interface ApiToken {
  /** 32 hexadecimal digits. */
  readonly id: string
  readonly name: string
  /** ISO 8601, UTC. */
  readonly createdAt: string
}

/** Tokens of the control API. All methods reject with `storage_failed` when the database does. */
export interface ApiTokenStore {
  /**
   * The only time the token's text can be read.
   *
   * @throws {HawserError} `options_invalid` for a bad name, `conflict` for a name in use
   */
  create(name: string): Promise<{ readonly id: string; readonly token: Secret }>
  /** Whose token `text` is; undefined if it is nobody's. */
  verify(text: string): Promise<{ readonly id: string; readonly name: string } | undefined>
  /** Oldest first. */
  list(): Promise<readonly ApiToken[]>
  /** @throws {HawserError} `not_found` */
  revoke(id: string): Promise<void>
}

/** Starts every token, so that people and secret scanners recognise one. */
export const API_TOKEN_PREFIX = 'hawser_'

const TOKEN_BYTES = 32
const ID_BYTES = 16
/** The prefix and 32 bytes in base64url. */
const TOKEN = /^hawser_[A-Za-z0-9_-]{43}$/

/** {@link ApiTokenStore} in SQL, for every engine. */
export class SqlApiTokenStore implements ApiTokenStore {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  create(name: string): Promise<{ readonly id: string; readonly token: Secret }> {
    return guardStorage('create the API token', async () => {
      const id = randomBytes(ID_BYTES).toString('hex')
      const text = API_TOKEN_PREFIX + randomBytes(TOKEN_BYTES).toString('base64url')
      const row = { id, name: checkName(name, 'token name'), created_at: new Date().toISOString(), hash: hashOf(text) }
      try {
        await this.#engine.db.insertInto('api_tokens').values(row).execute()
      } catch (error) {
        if (!this.#engine.isDuplicate(error)) throw error
        throw new HawserError('conflict', `an API token named ${JSON.stringify(name)} exists already`, { cause: error })
      }
      return { id, token: new Secret(text) }
    })
  }

  /**
   * A token is 256 random bits, so its plain hash cannot be guessed back and no slow one is needed. The index finds the
   * hash, the comparison that decides takes the same time for every text.
   */
  verify(text: string): Promise<{ readonly id: string; readonly name: string } | undefined> {
    return guardStorage('check the API token', async () => {
      if (!TOKEN.test(text)) return undefined
      const hash = hashOf(text)
      const row = await this.#engine.db
        .selectFrom('api_tokens')
        .select(['id', 'name', 'hash'])
        .where('hash', '=', hash)
        .executeTakeFirst()
      if (row === undefined || !sameText(row.hash, hash)) return undefined
      return { id: row.id, name: row.name }
    })
  }

  list(): Promise<readonly ApiToken[]> {
    return guardStorage('list API tokens', async () => {
      const query = this.#engine.db.selectFrom('api_tokens').select(['id', 'name', 'created_at'])
      const rows = await query.orderBy('created_at').orderBy('id').execute()
      return rows.map((row) => ({ id: row.id, name: row.name, createdAt: row.created_at }))
    })
  }

  revoke(id: string): Promise<void> {
    return guardStorage('revoke the API token', async () => {
      const { numDeletedRows } = await this.#engine.db.deleteFrom('api_tokens').where('id', '=', id).executeTakeFirst()
      if (numDeletedRows > 0n) return
      throw new HawserError('not_found', `there is no API token ${JSON.stringify(id.slice(0, 64))}`)
    })
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
