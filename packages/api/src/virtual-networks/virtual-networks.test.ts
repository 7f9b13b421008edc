import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { apiFixture, codeOf } from '../fixture.ts'
import type { Answered, Fixture } from '../fixture.ts'

const NOBODY = '00000000-0000-4000-8000-000000000000'

async function open(t: TestContext): Promise<Fixture & { readonly path: string }> {
  assertNoLeaks(t)
  const fixture = await apiFixture(t, new CapturedLog())
  return { ...fixture, path: `${fixture.account}/teamnet/virtual_networks` }
}

interface Shown {
  readonly id: string
  readonly name: string
  readonly created_at: string
  readonly deleted_at: string | null
  readonly is_default_network: boolean
}

function shown({ body }: Answered): Shown {
  assert.equal(body.success, true, JSON.stringify(body.errors))
  return body.result as Shown
}

function names({ body }: Answered): string[] {
  return (body.result as Shown[]).map(({ name }) => name)
}

test('V-156: a new network has the shape the clients know; the list is one page', async (t) => {
  const { call, path } = await open(t)
  const made = shown(await call('POST', path, { name: 'site-b', comment: 'the other plant' }))
  const { id, created_at } = made
  const rest = { is_default_network: false, created_at, deleted_at: null }
  assert.deepEqual(made, { id, name: 'site-b', comment: 'the other plant', ...rest })
  assert.deepEqual(shown(await call('GET', `${path}/${id}`)), made)
  const list = await call('GET', path)
  assert.deepEqual(new Set(names(list)), new Set(['default', 'site-b']))
  assert.equal(list.body.result_info, undefined)
})

test('lists are filtered', async (t) => {
  const { call, path } = await open(t)
  const { id } = shown(await call('POST', path, { name: 'site-b' }))
  const list = async (query: string): Promise<string[]> => names(await call('GET', `${path}?${query}`))
  assert.deepEqual(await list('name=site-b'), ['site-b'])
  assert.deepEqual(await list(`id=${id}`), ['site-b'])
  assert.deepEqual(await list('is_default_network=true'), ['default'])
  assert.deepEqual(await list('is_default=false'), ['site-b'])
  assert.deepEqual(await list('is_deleted=true'), [])
  assert.equal(codeOf(await call('GET', `${path}?is_default=x`)), '400/10400')
})

test('the default moves, by the newer and by the older name of the key, and is never given up', async (t) => {
  const { call, path } = await open(t)
  const first = shown(await call('POST', path, { name: 'a', is_default_network: true }))
  assert.equal(first.is_default_network, true)
  const second = shown(await call('POST', path, { name: 'b' }))
  assert.equal(shown(await call('PATCH', `${path}/${second.id}`, { is_default: true })).is_default_network, true)
  assert.deepEqual(names(await call('GET', `${path}?is_default_network=true`)), ['b'])
  const refused = await call('PATCH', `${path}/${second.id}`, { is_default_network: false })
  assert.equal(codeOf(refused), '409/1014')
  assert.equal(codeOf(await call('DELETE', `${path}/${second.id}`)), '409/1014')
  assert.notEqual(shown(await call('DELETE', `${path}/${first.id}`)).deleted_at, null)
})

test('a network with routes needs ?force=true, and names in use and unknown ids have their codes', async (t) => {
  const { call, account, path, directory } = await open(t)
  const { id } = shown(await call('POST', path, { name: 'site-b' }))
  const { id: tunnelId } = await directory.tunnels.create({ name: 'lab' })
  await directory.routes.create({ network: '10.0.0.0/8', tunnelId, virtualNetworkId: id })
  const inUse = await call('DELETE', `${path}/${id}`)
  assert.equal(codeOf(inUse), '409/1014')
  assert.match(inUse.body.errors[0]?.message ?? '', /still has 1 route/)
  assert.equal((await call('DELETE', `${path}/${id}?force=true`)).status, 200)
  assert.deepEqual((await call('GET', `${account}/teamnet/routes`)).body.result, [])
  assert.equal(codeOf(await call('POST', path, { name: 'default' })), '409/1014')
  assert.equal(codeOf(await call('POST', path, {})), '400/10400')
  for (const method of ['GET', 'PATCH', 'DELETE']) {
    assert.equal(codeOf(await call(method, `${path}/${NOBODY}`, method === 'PATCH' ? {} : undefined)), '404/1046')
  }
})
