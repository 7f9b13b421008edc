import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseHostMatch } from './host-match.ts'
import { matchesHost, standInFor } from './stand-ins.ts'
import type { HostStandIn } from './stand-ins.ts'

/** Entries as the file has them, each leading to a port that tells which one it was. */
function network(...keys: readonly string[]): { hosts: HostStandIn[] } {
  return {
    hosts: keys.map((written, index) => ({
      match: parseHostMatch(written),
      host: '127.0.0.1',
      port: index + 1,
      written,
    })),
  }
}

/** The key whose entry stands in. */
function chosen(keys: readonly string[], host: string, port: number): string | undefined {
  const found = standInFor(network(...keys), host, port)
  return found === undefined ? undefined : keys[found.port - 1]
}

test('a host without an entry has no stand-in, and neither has a network without any', () => {
  assert.equal(standInFor(undefined, 'db.internal', 5432), undefined)
  assert.equal(standInFor({ hosts: [] }, 'db.internal', 5432), undefined)
  assert.equal(standInFor(network('other.internal', 'db.internal:5433'), 'db.internal', 5432), undefined)
})

test('a stand-in without a port keeps the port of the call', () => {
  const hosts = [{ match: { host: '10.0.1.50' }, host: '127.0.0.1', written: '10.0.1.50' }]
  assert.deepEqual(standInFor({ hosts }, '10.0.1.50', 6379), { host: '127.0.0.1', port: 6379 })
})

test('a stand-in with a port replaces that of the call', () => {
  const hosts = [{ match: { host: 'db.internal', port: 5432 }, host: '::1', port: 55_432, written: 'db.internal:5432' }]
  assert.deepEqual(standInFor({ hosts }, 'db.internal', 5432), { host: '::1', port: 55_432 })
})

test('the entry that says most counts, wherever it stands', () => {
  const keys = ['*.internal', 'db.internal', '*.internal:5432', 'db.internal:5432']
  for (const order of [keys, keys.toReversed(), [keys[2], keys[0], keys[3], keys[1]].map(String)]) {
    assert.equal(chosen(order, 'db.internal', 5432), 'db.internal:5432')
    assert.equal(chosen(order, 'db.internal', 80), 'db.internal')
    assert.equal(chosen(order, 'api.internal', 5432), '*.internal:5432')
    assert.equal(chosen(order, 'api.internal', 80), '*.internal')
  }
})

test('of several wildcards the one of the very domain counts', () => {
  const keys = ['*.internal', '*.svc.internal', '*.eu.svc.internal']
  assert.equal(chosen(keys, 'a.internal', 1), '*.internal')
  assert.equal(chosen(keys, 'a.svc.internal', 1), '*.svc.internal')
  assert.equal(chosen(keys, 'a.eu.svc.internal', 1), '*.eu.svc.internal')
  assert.equal(chosen(keys, 'a.us.svc.internal', 1), undefined)
})

test('addresses are matched in their one form', () => {
  assert.equal(chosen(['[FD00:0:0::1]:6379'], 'fd00::1', 6379), '[FD00:0:0::1]:6379')
  assert.equal(chosen(['10.0.1.50'], '10.0.1.5', 1), undefined)
})

test('a wildcard stands for exactly one label', () => {
  assert.ok(matchesHost('*.internal', 'db.internal'))
  for (const host of ['internal', '.internal', 'a.b.internal', 'dbinternal', 'db.internal.evil', 'db.internalx']) {
    assert.ok(!matchesHost('*.internal', host), host)
  }
})

test('the choice does not depend on the order of the entries', () => {
  const label = fc.constantFrom('a', 'b', '*')
  const key = fc
    .tuple(label, fc.constantFrom('a', 'b'), fc.constantFrom('', ':1', ':2'))
    .map(([first, second, port]) => `${first}.${second}${port}`)
  const keys = fc.uniqueArray(key, { maxLength: 8 })
  fc.assert(
    fc.property(keys, fc.constantFrom('a.a', 'a.b', 'b.a', 'c.b'), fc.constantFrom(1, 2, 3), (given, host, port) => {
      assert.equal(chosen(given, host, port), chosen(given.toReversed(), host, port))
    }),
  )
})
