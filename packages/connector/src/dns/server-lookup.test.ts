import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { fakeDnsServer } from './fake-dns-server.ts'
import { isAbsence, serverLookup } from './server-lookup.ts'

const LIMIT = { timeout: 20_000 }

test('both families are asked, IPv6 comes first, and the shortest time to live counts', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using server = await fakeDnsServer({
    'db.internal': { addresses: ['10.0.0.5', 'fd00::5', '10.0.0.6'], ttl: 30 },
    'four.internal': { addresses: ['10.0.0.7'], ttl: 0 },
    'long.internal': { addresses: ['fd00::7'], ttl: 86_400 },
  })
  const lookup = serverLookup([server.address])
  assert.deepEqual(await lookup('db.internal'), { addresses: ['fd00::5', '10.0.0.5', '10.0.0.6'], ttlMs: 30_000 })
  assert.deepEqual(server.asked.toSorted(), ['db.internal A', 'db.internal AAAA'])
  assert.deepEqual(await lookup('four.internal'), { addresses: ['10.0.0.7'], ttlMs: 0 })
  assert.deepEqual(await lookup('long.internal'), { addresses: ['fd00::7'], ttlMs: 300_000 })
})

test('a name that does not exist, or has no address, is absent', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using server = await fakeDnsServer({ 'empty.internal': { addresses: [], ttl: 60 } })
  const lookup = serverLookup([server.address])
  for (const name of ['none.internal', 'empty.internal']) {
    await assert.rejects(lookup(name), (error) => isAbsence(error), name)
  }
})

test('a server that fails says nothing of the name: the error tells of the server', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using server = await fakeDnsServer({ 'a.internal': 'SERVFAIL', 'b.internal': 'REFUSED' })
  const lookup = serverLookup([server.address])
  for (const name of ['a.internal', 'b.internal']) {
    await assert.rejects(lookup(name), (error) => {
      assert.equal(isAbsence(error), false)
      assert.equal((error as { code?: string }).code, 'dns_error')
      assert.match(
        (error as Error).message,
        new RegExp(`^${name}: resolver ${server.address} answers E(SERVFAIL|REFUSED)`),
      )
      return true
    })
  }
})

test('a server that nobody runs is no refusal by the target', LIMIT, async (t) => {
  assertNoLeaks(t)
  const { address } = await (async () => {
    await using server = await fakeDnsServer({})
    return server
  })()
  const codes = ['dns_error', 'ETIMEOUT'] // as the machine tells of a closed UDP port, or keeps silent
  await assert.rejects(serverLookup([address])('db.internal'), (error) =>
    codes.includes((error as { code: string }).code),
  )
})

test('one family that is silent does not keep the addresses of the other', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using server = await fakeDnsServer({ 'half.internal': 'SILENT AAAA' })
  const startedAt = performance.now()
  assert.deepEqual((await serverLookup([server.address])('half.internal')).addresses, ['10.0.0.9'])
  assert.ok(performance.now() - startedAt < 1_400, 'it waited for the silent one')
})

test('a second server is asked where the first one is silent', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using silent = await fakeDnsServer({ 'db.internal': 'SILENT' })
  await using server = await fakeDnsServer({ 'db.internal': { addresses: ['10.0.0.5'], ttl: 60 } })
  const found = await serverLookup([silent.address, server.address])('db.internal')
  assert.deepEqual(found.addresses, ['10.0.0.5'])
})
