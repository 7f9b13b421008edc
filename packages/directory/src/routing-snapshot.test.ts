import assert from 'node:assert/strict'
import { BlockList, isIPv4 } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import fc from 'fast-check'
import { openDirectory } from './directory.ts'
import type { Directory } from './directory.ts'
import { ACCOUNT_NETWORK, RoutingBuilder } from './routing-snapshot.ts'
import type { NetworkRoutes } from './routing-snapshot.ts'

const DEFAULT = { id: 'v1', name: 'default', isDefault: true }

/** The default network with these routes and hostname routes, each by what it leads to. */
function networkOf(
  routes: Readonly<Record<string, string>>,
  hostnames: Readonly<Record<string, string>> = {},
): NetworkRoutes {
  const builder = new RoutingBuilder()
  builder.network(DEFAULT)
  for (const [network, tunnelId] of Object.entries(routes)) builder.route(network, tunnelId, DEFAULT.id)
  for (const [hostname, tunnelId] of Object.entries(hostnames)) builder.hostname(hostname, tunnelId)
  return builder.build('1').network(ACCOUNT_NETWORK) ?? assert.fail()
}

function told(network: NetworkRoutes, host: string): string {
  const found = network.find(host)
  return found === undefined ? 'nothing' : `${found.tunnelId} by ${found.matched}`
}

test('V-154: the longest prefix wins, in both families', () => {
  const network = networkOf({
    '10.0.0.0/8': 'a',
    '10.1.0.0/16': 'b',
    '10.1.2.3/32': 'c',
    'fd00::/8': 'd',
    'fd00:1::/32': 'e',
  })
  assert.equal(told(network, '10.9.9.9'), 'a by 10.0.0.0/8')
  assert.equal(told(network, '10.1.9.9'), 'b by 10.1.0.0/16')
  assert.equal(told(network, '10.1.2.3'), 'c by 10.1.2.3/32')
  assert.equal(told(network, 'fd12::1'), 'd by fd00::/8')
  assert.equal(told(network, 'fd00:1::1'), 'e by fd00:1::/32')
  assert.equal(told(network, '11.0.0.1'), 'nothing')
  assert.equal(told(network, '2001:db8::1'), 'nothing')
})

test('V-152: a wildcard stands for one label, and a name of its own wins', () => {
  const network = networkOf({}, { '*.internal.local': 'w', 'db.internal.local': 'x', top: 'y' })
  assert.equal(told(network, 'foo.internal.local'), 'w by *.internal.local')
  assert.equal(told(network, 'db.internal.local'), 'x by db.internal.local')
  for (const none of ['foo.bar.internal.local', 'internal.local', 'local', 'xinternal.local', '', '.', 'top.top']) {
    assert.equal(told(network, none), 'nothing', none)
  }
  assert.equal(told(network, 'top'), 'y by top')
})

test('a name never meets the routes of addresses, nor an address those of names', () => {
  const network = networkOf({ '0.0.0.0/0': 'a', '::/0': 'b' }, { '*.0.0.1': 'c' })
  assert.equal(told(network, 'db.internal'), 'nothing')
  assert.equal(told(network, '10.0.0.1'), 'a by 0.0.0.0/0')
  assert.equal(told(network, '::1'), 'b by ::/0')
})

test('any set of routes finds what a look at each of them finds', () => {
  const ip = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('10.0.0.1', '10.255.0.1', 'fd00::1', 'fd00:0:0:1::'))
  const route = fc.tuple(ip, fc.nat(1_000)).map(([address, share]) => {
    const family = isIPv4(address) ? ('ipv4' as const) : ('ipv6' as const)
    const prefix = 1 + Math.round((share / 1_000) * (family === 'ipv4' ? 31 : 127))
    const holds = new BlockList()
    holds.addSubnet(address, prefix, family)
    return { network: `${address}/${prefix}`, family, prefix, holds }
  })
  fc.assert(
    fc.property(fc.array(route, { maxLength: 40 }), fc.array(ip, { minLength: 1 }), (routes, asked) => {
      const network = networkOf(Object.fromEntries(routes.map((each) => [each.network, `${each.prefix}`])))
      for (const address of [...asked, ...routes.map((each) => each.network.split('/')[0] ?? '')]) {
        const family = isIPv4(address) ? 'ipv4' : 'ipv6'
        const holding = routes.filter((each) => each.family === family && each.holds.check(address, family))
        const longest = Math.max(...holding.map((each) => each.prefix))
        assert.equal(network.find(address)?.tunnelId, holding.length === 0 ? undefined : `${longest}`, address)
      }
    }),
  )
})

test('a network is known by its id and its name, and the account network is the default one', () => {
  const builder = new RoutingBuilder()
  builder.network(DEFAULT)
  builder.network({ id: 'v2', name: 'site-b', isDefault: false })
  builder.network({ id: 'v3', name: 'v2', isDefault: false })
  builder.route('10.0.0.0/8', 'a', 'v1')
  builder.route('10.0.0.0/8', 'b', 'v2')
  builder.route('10.0.0.0/8', 'c', 'gone')
  const snapshot = builder.build('7')
  assert.equal(snapshot.version, '7')
  const leads = (network: string): string | undefined => snapshot.network(network)?.find('10.1.1.1')?.tunnelId
  assert.deepEqual(['v1', 'default', 'cf1:network', 'v2', 'site-b', 'v3'].map(leads), [
    'a',
    'a',
    'a',
    'b',
    'b',
    undefined,
  ])
  assert.equal(snapshot.network('v2')?.name, 'site-b') // an id wins over a name that looks like it
  assert.equal(snapshot.network('none'), undefined)
})

test('a refusal can say what was looked at, without listing a million routes', () => {
  const network = networkOf({ '10.0.0.0/8': 'a', 'fd00::/8': 'b' }, { '*.corp': 'c' })
  assert.equal(network.describe('11.0.0.1'), 'the 2 route(s) of virtual network default (10.0.0.0/8, fd00::/8)')
  assert.match(
    network.describe('db.internal'),
    /^the 1 hostname route\(s\) \(\*\.corp\); a name needs one, for the 2 route/,
  )
  const many = networkOf(
    Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`10.${at}.0.0/16`, 'a'])),
    Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`h${at}.corp`, 'a'])),
  )
  assert.match(many.describe('11.0.0.1'), /the 9 route\(s\) .*10\.4\.0\.0\/16, …\)$/)
  assert.match(many.describe('x'), /the 9 hostname route\(s\) .*h4\.corp, …\);/)
  assert.equal(networkOf({}).describe('11.0.0.1'), 'the 0 route(s) of virtual network default')
})

async function open(t: TestContext): Promise<Directory> {
  assertNoLeaks(t)
  const directory = await openDirectory({ file: ':memory:', key: Buffer.alloc(32, 1) })
  t.after(() => directory.close())
  return directory
}

test('a snapshot holds what the directory holds, and nothing that is deleted', async (t) => {
  const directory = await open(t)
  const { id: tunnelId } = await directory.tunnels.create({ name: 'lab' })
  const { id: virtualNetworkId } = await directory.virtualNetworks.create({ name: 'site-b' })
  await directory.routes.create({ network: '10.0.0.0/8', tunnelId })
  const { id: gone } = await directory.routes.create({ network: '10.1.0.0/16', tunnelId })
  await directory.routes.delete(gone)
  await directory.routes.create({ network: '10.2.0.0/16', tunnelId, virtualNetworkId })
  await directory.hostnameRoutes.create({ hostname: '*.internal', tunnelId })
  const service = await directory.services.create({ name: 'db', type: 'tcp', tunnelId, host: 'db', tcpPort: 1 })
  const snapshot = await directory.loadRouting()
  const main = snapshot.network('default') ?? assert.fail()
  assert.equal(told(main, '10.1.1.1'), `${tunnelId} by 10.0.0.0/8`)
  assert.equal(told(main, 'db.internal'), `${tunnelId} by *.internal`)
  const other = snapshot.network(virtualNetworkId) ?? assert.fail()
  assert.deepEqual(
    ['10.1.1.1', '10.2.1.1'].map((host) => told(other, host)),
    ['nothing', `${tunnelId} by 10.2.0.0/16`],
  )
  assert.deepEqual([...snapshot.services.values()], [service])
})

test('every change of routing gives it another version and calls who listens; other changes do not', async (t) => {
  const directory = await open(t)
  let calls = 0
  const unsubscribe = directory.routing.subscribe(() => (calls += 1))
  const changes = async (work: () => Promise<unknown>): Promise<number> => {
    const [before, called] = [await directory.routing.version(), calls]
    await work()
    assert.equal((await directory.routing.version()) !== before, calls !== called)
    return calls - called
  }
  let tunnelId = ''
  assert.equal(await changes(async () => ({ id: tunnelId } = await directory.tunnels.create({ name: 'lab' }))), 0)
  assert.equal(await changes(() => directory.routes.create({ network: '10.0.0.0/8', tunnelId })), 1)
  assert.equal(await changes(() => directory.hostnameRoutes.create({ hostname: 'a', tunnelId })), 1)
  assert.equal(await changes(() => directory.virtualNetworks.create({ name: 'x' })), 1)
  assert.equal(await changes(() => directory.services.create({ name: 's', type: 'http', tunnelId, host: 'h' })), 1)
  assert.equal(await changes(() => directory.tunnels.delete(tunnelId).catch(() => {})), 0) // refused: nothing happened
  assert.equal(await changes(() => directory.tunnels.delete(tunnelId, true)), 1)
  assert.equal((await directory.loadRouting()).version, await directory.routing.version())
  unsubscribe()
  await directory.virtualNetworks.create({ name: 'y' })
  assert.equal(calls, 6 - 1)
})

test('more routes than are read at once all arrive', async (t) => {
  const directory = await open(t)
  const { id: tunnelId } = await directory.tunnels.create({ name: 'lab' })
  const { loadRouting } = await import('./load-routing.ts')
  const { openSqlite } = await import('./sqlite.ts')
  const { migrate } = await import('./engine.ts')
  const engine = await openSqlite(':memory:')
  t.after(() => engine.close())
  await migrate(engine.db)
  const [network] = await engine.db.selectFrom('virtual_networks').selectAll().execute()
  const rows = Array.from({ length: 10_001 }, (_, at) => ({
    id: `r${at}`,
    network: `10.${at >> 8}.${at & 255}.0/24`,
    first_address: `${at}`,
    last_address: `${at}`,
    tunnel_id: tunnelId,
    virtual_network_id: network?.id ?? '',
    comment: '',
    created_at: '',
    deleted_at: null,
  }))
  for (let at = 0; at < rows.length; at += 1_000) {
    await engine.db
      .insertInto('routes')
      .values(rows.slice(at, at + 1_000))
      .execute()
  }
  const routes = (await loadRouting(engine.db, '')).network(ACCOUNT_NETWORK)
  assert.match(routes?.describe('11.0.0.1') ?? '', /^the 10001 route/)
  for (const at of [0, 9_999, 10_000]) assert.ok(routes?.find(`10.${at >> 8}.${at & 255}.9`), String(at))
})
