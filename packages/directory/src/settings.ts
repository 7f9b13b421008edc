import { randomBytes } from 'node:crypto'
import { HawserError, Secret } from '@hawser/core'
import type { Database, Schema } from './schema.ts'
import type { SecretBox } from './secret-box.ts'

/** 32 hexadecimal digits, as the vendor's account ids. */
const ACCOUNT_ID_BYTES = 16
/** Sealed at first and opened ever after: says whether the key is the right one before anything depends on it. */
const KEY_CHECK = 'key_check'

/**
 * The account id of this directory, made when it is first opened.
 *
 * @throws {HawserError} `storage_failed` when the directory was sealed with another key
 */
export async function openSettings(db: Database, box: SecretBox): Promise<{ readonly accountId: string }> {
  const sealed = await keep(db, KEY_CHECK, () => box.seal(new Secret(KEY_CHECK), KEY_CHECK))
  try {
    box.open(sealed, KEY_CHECK)
  } catch (error) {
    throw new HawserError('storage_failed', 'the directory was encrypted with another key', { cause: error })
  }
  const accountId = await keep(db, 'account_id', () => randomBytes(ACCOUNT_ID_BYTES).toString('hex'))
  return { accountId }
}

/** The stored value, or the new one if nobody stored any first. */
async function keep(db: Database, name: Schema['settings']['name'], make: () => string): Promise<string> {
  const stored = (): Promise<{ value: string } | undefined> =>
    db.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst()
  const before = await stored()
  if (before !== undefined) return before.value
  await db
    .insertInto('settings')
    .values({ name, value: make() })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
  const after = await stored()
  if (after === undefined) throw new HawserError('storage_failed', `the setting ${name} could not be stored`)
  return after.value
}
