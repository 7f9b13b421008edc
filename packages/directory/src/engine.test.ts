import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { sql } from 'kysely'
import { migrate } from './engine.ts'
import type { Engine } from './engine.ts'
import { MIGRATIONS } from './migrations.ts'
import { openSqlite } from './sqlite.ts'

async function temporaryFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-engine-'))
  t.after(() => rm(folder, { recursive: true }))
  return join(folder, 'directory.db')
}

async function opened(t: TestContext, file = ':memory:', busyTimeoutMs = 5_000): Promise<Engine> {
  const engine = await openSqlite(file, busyTimeoutMs)
  t.after(() => engine.close())
  return engine
}

async function tables({ db }: Engine): Promise<string[]> {
  return (await db.introspection.getTables()).map(({ name }) => name).toSorted()
}

test('migrations make the tables, and run again without effect', async (t) => {
  assertNoLeaks(t)
  const engine = await opened(t)
  assert.deepEqual(await tables(engine), [])
  await migrate(engine.db)
  assert.deepEqual(await tables(engine), [
    'api_tokens',
    'client_grants',
    'clients',
    'hostname_routes',
    'routes',
    'services',
    'settings',
    'tunnel_activity',
    'tunnel_configurations',
    'tunnels',
    'virtual_networks',
  ])
  await engine.db.insertInto('settings').values({ name: 'account_id', value: 'kept' }).execute()
  await migrate(engine.db)
  const rows = await engine.db.selectFrom('settings').select('value').execute()
  assert.deepEqual(
    rows.map(({ value }) => value),
    ['kept'],
  )
})

test('migration names sort in the order in which they were written', () => {
  const names = Object.keys(MIGRATIONS)
  assert.deepEqual(names, names.toSorted())
  for (const name of names) assert.match(name, /^\d{4}_[a-z_]+$/)
})

test('a migration that fails half way leaves nothing behind', async (t) => {
  assertNoLeaks(t)
  const engine = await opened(t)
  await sql`create table api_tokens (in_the_way text)`.execute(engine.db) // the last table of the first migration
  await assert.rejects(migrate(engine.db), /already exists/)
  assert.deepEqual(await tables(engine), ['api_tokens'])
  await sql`drop table api_tokens`.execute(engine.db)
  await migrate(engine.db)
  assert.deepEqual(await tables(engine), [
    'api_tokens',
    'client_grants',
    'clients',
    'hostname_routes',
    'routes',
    'services',
    'settings',
    'tunnel_activity',
    'tunnel_configurations',
    'tunnels',
    'virtual_networks',
  ])
})

test('a repeated value in a unique column is told from other errors', async (t) => {
  assertNoLeaks(t)
  const engine = await opened(t)
  await migrate(engine.db)
  const row = { id: 'a', name: 'lab', created_at: '', deleted_at: null, sealed_secret: null }
  const insert = (changes: Partial<typeof row>): Promise<unknown> =>
    engine.db
      .insertInto('tunnels')
      .values({ ...row, ...changes })
      .execute()
      .then(
        () => 'stored',
        (error: unknown) => engine.isDuplicate(error),
      )
  assert.equal(await insert({}), 'stored')
  assert.equal(await insert({ name: 'other' }), true) // the primary key
  assert.equal(await insert({ id: 'b' }), true) // the name in use
  assert.equal(await insert({ id: 'b', name: null as never }), false)
  for (const error of [new Error('x'), undefined, null, 'errcode', { errcode: '2067' }]) {
    assert.equal(engine.isDuplicate(error), false)
  }
})

test('a transaction that throws is rolled back', async (t) => {
  assertNoLeaks(t)
  const engine = await opened(t)
  await migrate(engine.db)
  const failing = engine.db.transaction().execute(async (transaction) => {
    await transaction.insertInto('settings').values({ name: 'account_id', value: 'lost' }).execute()
    throw new Error('changed my mind')
  })
  await assert.rejects(failing, /changed my mind/)
  assert.deepEqual(await engine.db.selectFrom('settings').selectAll().execute(), [])
})

test('while another process writes, readers go on and writers fail after their wait', async (t) => {
  assertNoLeaks(t)
  const file = await temporaryFile(t)
  const engine = await opened(t, file, 20)
  await migrate(engine.db)
  const other = new DatabaseSync(file)
  t.after(() => other.close())
  other.exec('begin immediate')
  other.exec("insert into settings values ('account_id', 'theirs')")
  assert.deepEqual(await engine.db.selectFrom('settings').selectAll().execute(), [])
  const write = engine.db.insertInto('settings').values({ name: 'key_check', value: 'ours' }).execute()
  await assert.rejects(write, /database is locked/)
  other.exec('commit')
  await engine.db.insertInto('settings').values({ name: 'key_check', value: 'ours' }).execute()
  assert.equal((await engine.db.selectFrom('settings').selectAll().execute()).length, 2)
})

test('an engine closes twice, and also when it was never used', async (t) => {
  assertNoLeaks(t)
  const engine = await openSqlite(':memory:')
  await Promise.all([engine.close(), engine.close()])
  await assert.rejects(engine.db.selectFrom('settings').selectAll().execute(), /destroyed/)
})
