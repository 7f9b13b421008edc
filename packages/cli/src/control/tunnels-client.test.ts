import assert from 'node:assert/strict'
import test from 'node:test'
import { HawserError, Secret } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { ApiClient } from './api-client.ts'
import { fakeApi, ok } from './fake-api.ts'
import type { FakeAnswer, FakeApi, SeenCall } from './fake-api.ts'
import { TunnelsClient } from './tunnels-client.ts'

const ID = '550e8400-e29b-41d4-a716-446655440000'
const row = (name: string, id = ID): object => ({ id, name, status: 'inactive', created_at: 'c', deleted_at: null })

async function bench(
  answer: (call: SeenCall) => FakeAnswer,
  signal: AbortSignal,
): Promise<{ api: FakeApi; client: TunnelsClient }> {
  const api = await fakeApi(answer)
  return { api, client: new TunnelsClient(new ApiClient({ base: api.base, token: new Secret('t'), signal }), 'acc') }
}

const paths = (api: FakeApi): string[] =>
  api.calls.map(({ method, path }) => `${method} ${path.slice('/client/v4'.length)}`)

test('a list asks page after page until one is empty', async (t) => {
  assertNoLeaks(t)
  const pages = [[row('a'), row('b')], [row('c')], []]
  const { api, client } = await bench(() => ok(pages.shift()), t.signal)
  await using _api = api
  assert.deepEqual(
    (await client.list()).map(({ name }) => name),
    ['a', 'b', 'c'],
  )
  assert.deepEqual(
    paths(api),
    [1, 2, 3].map((page) => `GET /accounts/acc/cfd_tunnel?is_deleted=false&page=${page}`),
  )
})

test('an API that never shows an empty page is left after a while', async (t) => {
  assertNoLeaks(t)
  const { api, client } = await bench(() => ok([row('a')]), t.signal)
  await using _api = api
  assert.equal((await client.list()).length, 1000)
})

test('an id is asked for directly, a name by the list', async (t) => {
  assertNoLeaks(t)
  const { api, client } = await bench((call) => ok(call.path.includes('?') ? [] : row('a')), t.signal)
  await using _api = api
  assert.equal((await client.find(ID.toUpperCase())).name, 'a')
  await assert.rejects(client.find('odd name&'), (error) => HawserError.is(error, 'not_found'))
  assert.deepEqual(paths(api), [
    `GET /accounts/acc/cfd_tunnel/${ID.toUpperCase()}`,
    'GET /accounts/acc/cfd_tunnel?is_deleted=false&name=odd+name%26&page=1',
  ])
})

test('a name that several tunnels have is a conflict', async (t) => {
  assertNoLeaks(t)
  const pages = [[row('a'), row('a')], []]
  const { api, client } = await bench(() => ok(pages.shift()), t.signal)
  await using _api = api
  await assert.rejects(client.find('a'), (error) => HawserError.is(error, 'conflict'))
})

test('create, token, connectors and delete are the calls of the v4 API', async (t) => {
  assertNoLeaks(t)
  const { api, client } = await bench((call) => {
    if (call.path.endsWith('/token')) return ok('the-token')
    return call.path.endsWith('/connections') ? ok([{ id: 'c', conns: [] }]) : ok(row('lab'))
  }, t.signal)
  await using _api = api
  assert.equal((await client.create('lab')).name, 'lab')
  assert.equal((await client.token(ID)).reveal(), 'the-token')
  assert.equal((await client.connectors(ID))[0]?.id, 'c')
  await client.delete(ID, false)
  await client.delete(ID, true)
  const path = '/accounts/acc/cfd_tunnel'
  assert.deepEqual(paths(api), [
    `POST ${path}`,
    `GET ${path}/${ID}/token`,
    `GET ${path}/${ID}/connections`,
    `DELETE ${path}/${ID}`,
    `DELETE ${path}/${ID}?cascade=true`,
  ])
  assert.equal(api.calls[0]?.body, '{"name":"lab","config_src":"cloudflare"}')
})

test('answers of another shape are http_protocol_error', async (t) => {
  assertNoLeaks(t)
  for (const result of [null, 7, 'x', {}, { id: 7 }, [7], [{}]]) {
    const { api, client } = await bench(() => ok(result), t.signal)
    await using _api = api
    for (const call of [() => client.create('a'), () => client.list(), () => client.connectors(ID)]) {
      await assert.rejects(call(), (error) => HawserError.is(error, 'http_protocol_error'), JSON.stringify(result))
    }
    if (typeof result === 'string') continue
    await assert.rejects(client.token(ID), (error) => HawserError.is(error, 'http_protocol_error'))
  }
})

test('a secret is replaced, connections are ended and configurations are put by the calls of the v4 API', async (t) => {
  assertNoLeaks(t)
  const { api, client } = await bench(
    ({ path }) => ok(path.endsWith('/configurations') ? { version: 2, config: { hawser: { deny: [] } } } : row('a')),
    t.signal,
  )
  await using _api = api
  await client.rotate(ID, new Secret('c2VjcmV0'))
  await client.disconnect(ID)
  await client.disconnect(ID, 'a&b')
  assert.equal((await client.configuration(ID)).version, 2)
  await client.configure(ID, { deny: ['10.0.0.0/8'] })
  const path = `/accounts/acc/cfd_tunnel/${ID}`
  assert.deepEqual(paths(api), [
    `PATCH ${path}`,
    `DELETE ${path}/connections`,
    `DELETE ${path}/connections?client_id=a%26b`,
    `GET ${path}/configurations`,
    `PUT ${path}/configurations`,
  ])
  assert.deepEqual(JSON.parse(api.calls[0]?.body ?? ''), { tunnel_secret: 'c2VjcmV0' })
  assert.deepEqual(JSON.parse(api.calls[4]?.body ?? ''), { config: { hawser: { deny: ['10.0.0.0/8'] } } })
})
