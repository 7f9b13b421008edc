import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { openDirectory } from './directory.ts'
import type { Directory } from './directory.ts'
import type { HostnameRouteFilter } from './hostname-routes.ts'

interface Lab {
  readonly directory: Directory
  readonly tunnelId: string
  readonly found: (filter?: HostnameRouteFilter) => Promise<string[]>
}

async function open(t: TestContext): Promise<Lab> {
  assertNoLeaks(t)
  const directory = await openDirectory({ file: ':memory:', key: Buffer.alloc(32, 1) })
  t.after(() => directory.close())
  const { id: tunnelId } = await directory.tunnels.create({ name: 'lab' })
  const found = async (filter?: HostnameRouteFilter): Promise<string[]> =>
    (await directory.hostnameRoutes.list(filter)).items.map(({ hostname }) => hostname)
  return { directory, tunnelId, found }
}

test('V-152: a name is kept trimmed and in lower case, with its wildcard', async (t) => {
  const { directory, tunnelId } = await open(t)
  const route = await directory.hostnameRoutes.create({ hostname: ' *.SVC.Internal. ', tunnelId, comment: 'all' })
  const { id, createdAt } = route
  const rest = { tunnelId, comment: 'all', createdAt, deletedAt: undefined, tunnelName: 'lab' }
  assert.deepEqual(route, { id, hostname: '*.svc.internal', ...rest })
  assert.deepEqual(await directory.hostnameRoutes.get(id), route)
  const longest = [63, 63, 63, 61].map((length) => 'x'.repeat(length)).join('.')
  assert.equal((await directory.hostnameRoutes.create({ hostname: longest, tunnelId })).hostname.length, 253)
})

test('V-152: a wildcard is the whole first label and nothing else, and an address is no name', async (t) => {
  const { directory, tunnelId, found } = await open(t)
  const longer = ['x'.repeat(64), [63, 63, 63, 62].map((length) => 'x'.repeat(length)).join('.')]
  const wrong = ['', '*', '*.', 'a*.internal', 'db.*.internal', '*.*.internal', '10.0.0.1', '::1', 'a b', 'a..b', 'a/b']
  for (const hostname of [...wrong, ...longer, '*.10.0.0.1', 'http://db', 'db:80', 'bücher.example']) {
    await assert.rejects(directory.hostnameRoutes.create({ hostname, tunnelId }), {
      code: 'options_invalid',
      message: /^hostname: expected a name such as db\.internal/,
    })
  }
  assert.deepEqual(await found(), [])
})

test('V-153: a hostname leads to one tunnel', async (t) => {
  const { directory, tunnelId } = await open(t)
  const { hostnameRoutes, tunnels } = directory
  const other = await tunnels.create({ name: 'other' })
  const { id } = await hostnameRoutes.create({ hostname: 'db.internal', tunnelId })
  await assert.rejects(hostnameRoutes.create({ hostname: 'DB.internal', tunnelId: other.id }), {
    code: 'conflict',
    message: /"DB.internal" is already routed to a tunnel/,
  })
  await hostnameRoutes.create({ hostname: '*.internal', tunnelId: other.id })
  assert.equal((await hostnameRoutes.update(id, { tunnelId: other.id })).tunnelName, 'other')
  await assert.rejects(hostnameRoutes.update(id, { hostname: '*.internal' }), { code: 'conflict' })
})

test('a route is changed, deleted, and its name free again', async (t) => {
  const { directory, tunnelId, found } = await open(t)
  const { hostnameRoutes } = directory
  const { id } = await hostnameRoutes.create({ hostname: 'db.internal', tunnelId, comment: 'c' })
  const changed = await hostnameRoutes.update(id, { hostname: 'db2.internal' })
  assert.deepEqual([changed.hostname, changed.comment], ['db2.internal', 'c'])
  assert.deepEqual(await hostnameRoutes.update(id, {}), changed)
  const deleted = await hostnameRoutes.delete(id)
  assert.notEqual(deleted.deletedAt, undefined)
  assert.deepEqual([await found(), await found({ deleted: true })], [[], ['db2.internal']])
  assert.deepEqual(await hostnameRoutes.get(id), deleted)
  await assert.rejects(hostnameRoutes.delete(id), { code: 'not_found' })
  await assert.rejects(hostnameRoutes.update('none', { comment: 'x' }), { code: 'not_found' })
  await hostnameRoutes.create({ hostname: 'db2.internal', tunnelId })
  await assert.rejects(hostnameRoutes.create({ hostname: 'x', tunnelId: 'none' }), {
    code: 'not_found',
    message: /tunnel/,
  })
})

test('a list is filtered by any part of the name, taken literally, and comes in slices', async (t) => {
  const { directory, tunnelId, found } = await open(t)
  for (const hostname of ['db_1.internal', 'dbx1.internal', '*.corp', 'a.corp']) {
    await directory.hostnameRoutes.create({ hostname, tunnelId, comment: hostname })
  }
  assert.deepEqual(await found(), ['*.corp', 'a.corp', 'db_1.internal', 'dbx1.internal'])
  assert.deepEqual(await found({ hostname: 'DB' }), ['db_1.internal', 'dbx1.internal'])
  assert.deepEqual(await found({ hostname: 'b_1' }), ['db_1.internal'])
  assert.deepEqual(await found({ hostname: '%' }), [])
  assert.deepEqual(await found({ hostname: '\\' }), [])
  assert.deepEqual(await found({ comment: 'a.corp', tunnelId }), ['a.corp'])
  const slice = await directory.hostnameRoutes.list({ hostname: 'corp' }, { offset: 1, limit: 5 })
  assert.deepEqual([slice.items.map(({ hostname }) => hostname), slice.total], [['a.corp'], 2])
})
