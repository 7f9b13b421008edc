import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { Secret } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { migrate } from './engine.ts'
import type { Database } from './schema.ts'
import { SecretBox } from './secret-box.ts'
import { openSettings } from './settings.ts'
import { openSqlite } from './sqlite.ts'

const box = new SecretBox(Buffer.alloc(32, 1))
const otherBox = new SecretBox(Buffer.alloc(32, 2))

async function emptyDatabase(t: TestContext): Promise<Database> {
  assertNoLeaks(t)
  const engine = await openSqlite(':memory:')
  t.after(() => engine.close())
  await migrate(engine.db)
  return engine.db
}

test('the account id is made once', async (t) => {
  const db = await emptyDatabase(t)
  const first = await openSettings(db, box)
  assert.match(first.accountId, /^[0-9a-f]{32}$/)
  assert.deepEqual(await openSettings(db, box), first)
})

test('openings at the same time settle on one account id', async (t) => {
  const db = await emptyDatabase(t)
  const opened = await Promise.all(Array.from({ length: 10 }, () => openSettings(db, box)))
  assert.equal(new Set(opened.map(({ accountId }) => accountId)).size, 1)
})

test('of two keys that come at the same time one wins, and the other is told', async (t) => {
  const db = await emptyDatabase(t)
  const opened = await Promise.allSettled([openSettings(db, box), openSettings(db, otherBox)])
  assert.deepEqual(opened.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
})

test('another key is refused before an account id is made', async (t) => {
  const db = await emptyDatabase(t)
  const sealed = box.seal(new Secret('key_check'), 'key_check')
  await db.insertInto('settings').values({ name: 'key_check', value: sealed }).execute()
  await assert.rejects(openSettings(db, otherBox), { code: 'storage_failed', message: /encrypted with another key/ })
  const names = await db.selectFrom('settings').select('name').execute()
  assert.deepEqual(
    names.map(({ name }) => name),
    ['key_check'],
  )
})

test('an altered key check is refused', async (t) => {
  const db = await emptyDatabase(t)
  await openSettings(db, box)
  for (const value of ['', 'AAAA', box.seal(new Secret('key_check'), 'another owner')]) {
    await db.updateTable('settings').set({ value }).where('name', '=', 'key_check').execute()
    await assert.rejects(openSettings(db, box), { code: 'storage_failed' })
  }
})
