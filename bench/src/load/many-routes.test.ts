import assert from 'node:assert/strict'
import { BlockList, isIP } from 'node:net'
import { test } from 'node:test'
import { ACCOUNT_NETWORK, RoutingBuilder } from '@hawser/directory'
import { manyHosts, manyRoutes } from './many-routes.ts'

for (const kind of ['ipv4', 'ipv6'] as const) {
  test(`${kind} routes are as the directory spells them, none twice, and hold nine in ten of the hosts`, () => {
    const routes = manyRoutes(kind, 2_000)
    assert.deepEqual(routes, manyRoutes(kind, 2_000), 'the same in every run')
    assert.equal(new Set(routes).size, 2_000)
    const held = new BlockList()
    for (const route of routes) {
      const [address = '', prefix] = route.split('/')
      assert.equal(isIP(address), kind === 'ipv4' ? 4 : 6, route)
      assert.equal(
        new URL(`http://${kind === 'ipv4' ? address : `[${address}]`}/`).hostname.replaceAll(/[[\]]/g, ''),
        address,
      )
      held.addSubnet(address, Number(prefix), kind)
    }
    const hosts = manyHosts(kind, routes).slice(0, 1_000)
    const inside = hosts.filter((host) => held.check(host, kind)).length
    assert.ok(inside > 850 && inside < 950, String(inside))
  })
}

test('hostname routes are names and wildcards, which the hosts fall under', () => {
  const routes = manyRoutes('hostname', 2_000)
  assert.ok(routes.some((route) => route.startsWith('*.')) && routes.some((route) => !route.startsWith('*.')))
  const builder = new RoutingBuilder()
  builder.network({ id: 'v', name: 'default', isDefault: true })
  for (const route of routes) builder.hostname(route, 't')
  const network = builder.build('').network(ACCOUNT_NETWORK)
  const found = manyHosts('hostname', routes)
    .slice(0, 1_000)
    .filter((host) => network?.find(host) !== undefined)
  assert.ok(found.length > 850 && found.length < 950, String(found.length))
})
