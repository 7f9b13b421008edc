import assert from 'node:assert/strict'
import { BlockList } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import fc from 'fast-check'
import { openDirectory } from './directory.ts'
import type { Directory } from './directory.ts'
import type { RouteFilter } from './routes.ts'

interface Lab {
  readonly directory: Directory
  readonly tunnelId: string
  readonly defaultId: string
  readonly otherId: string
  /** The networks that a filter finds, in order. */
  readonly found: (filter?: RouteFilter) => Promise<string[]>
}

async function open(t: TestContext): Promise<Lab> {
  assertNoLeaks(t)
  const directory = await openDirectory({ file: ':memory:', key: Buffer.alloc(32, 1) })
  t.after(() => directory.close())
  const { id: tunnelId } = await directory.tunnels.create({ name: 'lab' })
  const [standard] = await directory.virtualNetworks.list()
  const other = await directory.virtualNetworks.create({ name: 'site-b' })
  const found = async (filter?: RouteFilter): Promise<string[]> =>
    (await directory.routes.list(filter)).items.map(({ network }) => network)
  return { directory, tunnelId, defaultId: standard?.id ?? '', otherId: other.id, found }
}

test('a route is in the default network unless it names one, and knows what its tunnel is called', async (t) => {
  const { directory, tunnelId, defaultId, otherId } = await open(t)
  const route = await directory.routes.create({ network: '10.0.0.0/8', tunnelId, comment: 'the office' })
  assert.match(route.createdAt, /^\d{4}-\d\d-\d\dT/)
  assert.deepEqual(route, {
    id: route.id,
    network: '10.0.0.0/8',
    tunnelId,
    virtualNetworkId: defaultId,
    comment: 'the office',
    createdAt: route.createdAt,
    deletedAt: undefined,
    tunnelName: 'lab',
    virtualNetworkName: 'default',
  })
  assert.deepEqual(await directory.routes.get(route.id), route)
  const other = await directory.routes.create({ network: '10.0.0.0/8', tunnelId, virtualNetworkId: otherId })
  assert.equal(other.virtualNetworkName, 'site-b')
  await directory.tunnels.update(tunnelId, { name: 'lab 2' })
  assert.equal((await directory.routes.get(route.id))?.tunnelName, 'lab 2')
})

test('a block has one spelling, and one route in each network: others may hold it or lie within it', async (t) => {
  const { directory, tunnelId, found } = await open(t)
  for (const network of [
    '10.1.2.3',
    'FD00:0::/8',
    '10.1.0.0/16',
    '0.0.0.0/0',
    '::ffff:192.168.0.0/112',
    '10.0.0.0/8',
  ]) {
    await directory.routes.create({ network, tunnelId })
  }
  const all = ['0.0.0.0/0', '10.0.0.0/8', '10.1.0.0/16', '10.1.2.3/32', '192.168.0.0/16', 'fd00::/8']
  assert.deepEqual(await found(), all)
  for (const network of ['10.1.2.3/32', 'fd00::/8', '192.168.0.0/16']) {
    await assert.rejects(directory.routes.create({ network, tunnelId }), {
      code: 'conflict',
      message: /there is a route for/,
    })
  }
})

test('what is wrong is named', async (t) => {
  const { directory, tunnelId, found } = await open(t)
  const create = (changes: object): Promise<unknown> =>
    directory.routes.create({ network: '10.0.0.0/8', tunnelId, ...changes })
  for (const network of ['', 'db', '10.0.0.0/33', '10.0.0.1/8', '010.0.0.0/8', '10.0.0.0/8/8']) {
    await assert.rejects(create({ network }), { code: 'options_invalid', message: /^network: expected/ })
  }
  for (const network of ['100.96.0.0/12', '100.96.1.0/24', '100.111.255.255']) {
    await assert.rejects(create({ network }), { code: 'options_invalid', message: /mesh nodes use/ })
  }
  await assert.rejects(create({ comment: 'a\u0000' }), { code: 'options_invalid', message: /^comment/ })
  await assert.rejects(create({ tunnelId: 'none' }), { code: 'not_found', message: /no tunnel "none"/ })
  await assert.rejects(create({ virtualNetworkId: 'none' }), {
    code: 'not_found',
    message: /no virtual network "none"/,
  })
  await assert.rejects(directory.routes.list({ within: 'x' }), { code: 'options_invalid', message: /^network_subset/ })
  await assert.rejects(directory.routes.list({ around: 'x' }), {
    code: 'options_invalid',
    message: /^network_superset/,
  })
  assert.deepEqual(await found(), [])
  await create({ network: '100.64.0.0/10' }) // larger than the mesh range: nodes win by their longer prefixes
})

test('a route moves to another tunnel, network or block, and keeps what is not named', async (t) => {
  const { directory, tunnelId, otherId } = await open(t)
  const { routes, tunnels } = directory
  const second = await tunnels.create({ name: 'second' })
  const { id } = await routes.create({ network: '10.0.0.0/8', tunnelId, comment: 'c' })
  assert.equal((await routes.update(id, { tunnelId: second.id })).tunnelName, 'second')
  assert.equal((await routes.update(id, { virtualNetworkId: otherId })).virtualNetworkName, 'site-b')
  const moved = await routes.update(id, { network: '10.9.0.0/16' })
  assert.deepEqual([moved.network, moved.comment, moved.tunnelId], ['10.9.0.0/16', 'c', second.id])
  assert.deepEqual(await routes.update(id, {}), moved)
  await routes.create({ network: '10.8.0.0/16', tunnelId, virtualNetworkId: otherId })
  await assert.rejects(routes.update(id, { network: '10.8.0.0/16' }), { code: 'conflict' })
  await assert.rejects(routes.update(id, { tunnelId: 'none' }), { code: 'not_found' })
  await assert.rejects(routes.update('none', { comment: 'x' }), { code: 'not_found', message: /no route "none"/ })
})

test('a deleted route keeps its row and frees its block', async (t) => {
  const { directory, tunnelId, found } = await open(t)
  const { id } = await directory.routes.create({ network: '10.0.0.0/8', tunnelId })
  const deleted = await directory.routes.delete(id)
  assert.notEqual(deleted.deletedAt, undefined)
  assert.deepEqual(await directory.routes.get(id), deleted)
  assert.deepEqual(await found(), [])
  assert.deepEqual(await found({ deleted: true }), ['10.0.0.0/8'])
  await assert.rejects(directory.routes.delete(id), { code: 'not_found' })
  await assert.rejects(directory.routes.update(id, {}), { code: 'not_found' })
  await directory.routes.create({ network: '10.0.0.0/8', tunnelId })
})

test('a tunnel with routes is deleted with them or not at all', async (t) => {
  const { directory, tunnelId, found } = await open(t)
  await directory.routes.create({ network: '10.0.0.0/8', tunnelId })
  await directory.hostnameRoutes.create({ hostname: 'db.internal', tunnelId })
  await assert.rejects(directory.tunnels.delete(tunnelId), {
    code: 'conflict',
    message: /2 route\(s\) lead to tunnel lab/,
  })
  assert.equal((await directory.tunnels.get(tunnelId))?.deletedAt, undefined)
  assert.notEqual(await directory.tunnels.secretOf(tunnelId), undefined)
  await directory.tunnels.delete(tunnelId, true)
  assert.deepEqual(await found(), [])
  assert.equal((await directory.hostnameRoutes.list()).total, 0)
  await assert.rejects(directory.routes.create({ network: '10.0.0.0/8', tunnelId }), { code: 'not_found' })
})

test('a list is filtered, and comes in slices with the whole count', async (t) => {
  const { directory, tunnelId, otherId, found } = await open(t)
  const { routes } = directory
  const second = await directory.tunnels.create({ name: 'second' })
  await routes.create({ network: '10.0.0.0/8', tunnelId, comment: 'a' })
  await routes.create({ network: '10.1.0.0/16', tunnelId: second.id })
  await routes.create({ network: '10.1.2.0/24', tunnelId })
  const { id } = await routes.create({ network: 'fd00::/8', tunnelId, virtualNetworkId: otherId })
  assert.deepEqual(await found({ tunnelId: second.id }), ['10.1.0.0/16'])
  assert.deepEqual(await found({ virtualNetworkId: otherId }), ['fd00::/8'])
  assert.deepEqual(await found({ id }), ['fd00::/8'])
  assert.deepEqual(await found({ comment: 'a' }), ['10.0.0.0/8'])
  assert.deepEqual(await found({ within: '10.1.0.0/16' }), ['10.1.0.0/16', '10.1.2.0/24'])
  assert.deepEqual(await found({ around: '10.1.2.9' }), ['10.0.0.0/8', '10.1.0.0/16', '10.1.2.0/24'])
  assert.deepEqual(await found({ around: '10.1.0.0/16', tunnelId }), ['10.0.0.0/8'])
  const middle = await routes.list({ virtualNetworkId: undefined }, { offset: 1, limit: 2 })
  assert.deepEqual([middle.items.length, middle.total], [2, 4])
  assert.deepEqual((await routes.list({}, { offset: 9, limit: 2 })).items, [])
})

test('the filters for blocks within and around agree with net.BlockList', async (t) => {
  const { directory, tunnelId, found } = await open(t)
  const block = fc
    .tuple(fc.constantFrom(0x0a000000, 0x0a010000, 0x0a010203, 0xc0a80000, 0xffffffff), fc.integer({ min: 1, max: 32 }))
    .map(([word, prefix]) => ({ ip: dotted(word - (word % 2 ** (32 - prefix))), prefix }))
  const known = fc.sample(block, { numRuns: 40, seed: 1 })
  const all = [...new Set(known.map(({ ip, prefix }) => `${ip}/${prefix}`))]
  for (const network of all) await directory.routes.create({ network, tunnelId })
  const holds = (outer: string, inner: string): boolean => {
    const [ip = '', prefix] = outer.split('/')
    const list = new BlockList()
    list.addSubnet(ip, Number(prefix))
    const [first = '', length] = inner.split('/')
    return Number(length) >= Number(prefix) && list.check(first)
  }
  for (const asked of all) {
    const [around, within] = [await found({ around: asked }), await found({ within: asked })]
    assert.deepEqual(new Set(around), new Set(all.filter((network) => holds(network, asked))), asked)
    assert.deepEqual(new Set(within), new Set(all.filter((network) => holds(asked, network))), asked)
  }
})

function dotted(word: number): string {
  return [24, 16, 8, 0].map((shift) => (word >>> shift) & 255).join('.')
}
