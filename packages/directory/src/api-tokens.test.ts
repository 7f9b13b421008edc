import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { inspect } from 'node:util'
import { assertNoLeaks } from '@hawser/testkit'
import fc from 'fast-check'
import { API_TOKEN_PREFIX, SqlApiTokenStore } from './api-tokens.ts'
import { migrate } from './engine.ts'
import type { Engine } from './engine.ts'
import { openSqlite } from './sqlite.ts'

async function emptyStore(t: TestContext): Promise<{ engine: Engine; tokens: SqlApiTokenStore }> {
  assertNoLeaks(t)
  const engine = await openSqlite(':memory:')
  t.after(() => engine.close())
  await migrate(engine.db)
  return { engine, tokens: new SqlApiTokenStore(engine) }
}

test('what is stored is the SHA-256 of the text, and the text nowhere', async (t) => {
  const { engine, tokens } = await emptyStore(t)
  const { id, token } = await tokens.create('ci')
  const rows = await engine.db.selectFrom('api_tokens').selectAll().execute()
  assert.equal(rows.length, 1)
  assert.equal(rows[0]?.id, id)
  assert.equal(rows[0]?.hash, createHash('sha256').update(token.reveal()).digest('hex'))
  assert.equal(JSON.stringify(rows).includes(token.reveal().slice(API_TOKEN_PREFIX.length)), false)
})

test('a new token prints as a mask', async (t) => {
  const { tokens } = await emptyStore(t)
  const created = await tokens.create('ci')
  const text = created.token.reveal()
  assert.ok(text.startsWith(API_TOKEN_PREFIX))
  assert.equal(inspect(created).includes(text), false)
  assert.equal(JSON.stringify(created).includes(text), false)
})

test('tokens do not repeat, and each is its own', async (t) => {
  const { tokens } = await emptyStore(t)
  const created = await Promise.all(Array.from({ length: 50 }, (_, at) => tokens.create(`token ${at}`)))
  assert.equal(new Set(created.map(({ token }) => token.reveal())).size, 50)
  for (const [at, { id, token }] of created.entries()) {
    assert.deepEqual(await tokens.verify(token.reveal()), { id, name: `token ${at}` })
  }
})

test('a stored hash is not itself a token', async (t) => {
  const { engine, tokens } = await emptyStore(t)
  await tokens.create('ci')
  const { hash } = await engine.db.selectFrom('api_tokens').select('hash').executeTakeFirstOrThrow()
  assert.equal(await tokens.verify(hash), undefined)
  assert.equal(await tokens.verify(API_TOKEN_PREFIX + hash.slice(0, 43)), undefined)
})

test('text of any kind is nobody’s token', async (t) => {
  const { tokens } = await emptyStore(t)
  await tokens.create('ci')
  const shaped = fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => Buffer.from(bytes).toString('base64url'))
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        shaped.map((text) => API_TOKEN_PREFIX + text),
      ),
      async (text) => {
        assert.equal(await tokens.verify(text), undefined)
      },
    ),
  )
})

test('revoking one token leaves the others', async (t) => {
  const { tokens } = await emptyStore(t)
  const one = await tokens.create('one')
  const two = await tokens.create('two')
  await tokens.revoke(one.id)
  assert.equal(await tokens.verify(one.token.reveal()), undefined)
  assert.deepEqual(await tokens.verify(two.token.reveal()), { id: two.id, name: 'two' })
  assert.deepEqual(
    (await tokens.list()).map(({ name }) => name),
    ['two'],
  )
  await assert.rejects(tokens.revoke(one.id), { code: 'not_found' })
})
