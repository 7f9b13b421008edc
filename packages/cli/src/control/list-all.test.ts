import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { ApiClient } from './api-client.ts'
import { fakeApi, ok } from './fake-api.ts'
import { listAll } from './list-all.ts'

test('pages are asked for until one is empty, with the filters that are given', async (t) => {
  assertNoLeaks(t)
  const pages = [[{ id: 'a' }, { id: 'b' }], [{ id: 'c' }], []]
  await using api = await fakeApi(() => ok(pages.shift()))
  const client = new ApiClient({ base: api.base, token: new Secret('x'), signal: t.signal })
  const rows = await listAll(client, '/things', { name: 'a b', tunnel_id: undefined }, 'a list of things')
  assert.deepEqual(rows, [{ id: 'a' }, { id: 'b' }, { id: 'c' }])
  assert.deepEqual(
    api.calls.map(({ path }) => path),
    [1, 2, 3].map((page) => `/client/v4/things?name=a+b&page=${page}`),
  )
})

test('what is no list of objects is told as that', async (t) => {
  assertNoLeaks(t)
  for (const page of ['text', [{ name: 'x' }], null, [null]]) {
    await using api = await fakeApi(() => ok(page))
    const client = new ApiClient({ base: api.base, token: new Secret('x'), signal: t.signal })
    await assert.rejects(listAll(client, '/things', {}, 'a list of things'), {
      code: 'http_protocol_error',
      message: "the API's answer is not a list of things",
    })
  }
})
