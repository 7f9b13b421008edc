import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Hono } from 'hono'
import { answerFor } from '../errors.ts'
import type { ApiEnv } from '../resource.ts'
import { tunnelFilter } from './tunnel-filter.ts'
import type { TunnelListFilter } from './tunnel-filter.ts'
import { tunnelResource } from './tunnel-resource.ts'

const ID = 'f3c1ab9e-6f0b-4e0f-8f5c-0a0b0c0d0e0f'
const tunnel = tunnelResource({ id: ID, name: 'lab-1', createdAt: '', deletedAt: undefined }, 'account', [])

/** The filter that a query stands for, or the message of its refusal. */
async function filterOf(query: string): Promise<TunnelListFilter | string> {
  let filter: TunnelListFilter | undefined
  const app = new Hono<ApiEnv>()
  app.get('/', (c) => {
    filter = tunnelFilter(c)
    return c.text('')
  })
  app.onError((error, c) => c.text(answerFor(error, {}).message, 400))
  const refusal = await (await app.request(`/?${query}`)).text()
  return filter ?? refusal
}

async function matches(query: string): Promise<boolean> {
  const filter = await filterOf(query)
  assert.ok(typeof filter !== 'string')
  return filter.matches(tunnel)
}

test('a query without filters takes every tunnel that is not deleted', async () => {
  const filter = await filterOf('page=2&per_page=5&anything=else')
  assert.ok(typeof filter !== 'string')
  assert.deepEqual([filter.name, filter.deleted, filter.matches(tunnel)], [undefined, false, true])
})

test('each filter takes what it says, and all of them together what they all take', async () => {
  assert.equal(await matches(`uuid=${ID}`), true)
  assert.equal(await matches(`uuid=${ID.toUpperCase()}`), true)
  assert.equal(await matches('uuid=another'), false)
  assert.equal(await matches('include_prefix=lab'), true)
  assert.equal(await matches('include_prefix=Lab'), false)
  assert.equal(await matches('include_prefix='), true)
  assert.equal(await matches('exclude_prefix=prod'), true)
  assert.equal(await matches('exclude_prefix=lab-1'), false)
  assert.equal(await matches('status=inactive'), true)
  assert.equal(await matches('status=healthy'), false)
  assert.equal(await matches('include_prefix=lab&exclude_prefix=lab-2&status=inactive'), true)
  assert.equal(await matches('include_prefix=lab&exclude_prefix=lab-1&status=inactive'), false)
})

test('names and deletion are left to the directory', async () => {
  const filter = await filterOf('name=a%20b&is_deleted=true')
  assert.ok(typeof filter !== 'string')
  assert.deepEqual([filter.name, filter.deleted, filter.matches(tunnel)], ['a b', true, true])
})

test('what cannot be filtered by is refused by name', async () => {
  for (const name of ['existed_at', 'was_active_at', 'was_inactive_at']) {
    assert.equal(await filterOf(`${name}=2026-01-01T00:00:00Z`), `${name}: not supported`)
  }
  for (const query of ['is_deleted=', 'is_deleted=1', 'is_deleted=TRUE', 'status=', 'status=up']) {
    const refusal = await filterOf(query)
    assert.ok(typeof refusal === 'string' && /^(is_deleted|status): /.test(refusal), query)
  }
})
