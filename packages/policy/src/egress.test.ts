import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publicEgress, refusalCode } from './egress.ts'
import type { EgressPolicy } from './egress.ts'

function policy(...own: { host: string; port: number }[]): EgressPolicy {
  return publicEgress({ ownListeners: () => own, localAddresses: () => ['203.0.114.9', '10.0.0.9'] })
}

test('of several addresses, those that are public may be dialled, in their order and once each', () => {
  const mixed = ['10.0.0.1', '8.8.8.8', '::1', '2A00:1450:4001:0::1', '::ffff:8.8.8.8', '169.254.169.254', '1.1.1.1']
  assert.deepEqual(policy().judge(mixed, 443), {
    verdict: { allowed: true, rule: 'public' },
    allowed: ['8.8.8.8', '2a00:1450:4001::1', '1.1.1.1'],
  })
})

test('where none is public, the rule is that of the first', () => {
  const rule = (...addresses: string[]): string => policy().judge(addresses, 443).verdict.rule
  assert.equal(rule('10.0.0.1', '127.0.0.1'), 'blocked-destinations/private')
  assert.equal(rule('127.0.0.1', '10.0.0.1'), 'blocked-destinations/loopback')
  assert.equal(rule('169.254.169.254'), 'blocked-destinations/metadata')
  assert.equal(rule('64:ff9b::8.8.8.8'), 'blocked-destinations/translated')
  assert.equal(rule('no address'), 'blocked-destinations/invalid')
  assert.equal(rule(), 'no-address')
})

test('port 25 and port 0 are refused whatever the address', () => {
  const judged = policy().judge(['8.8.8.8'], 25)
  assert.deepEqual(judged, { verdict: { allowed: false, rule: 'blocked-port/25' }, allowed: [] })
  for (const port of [0, -1, 65_536, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.deepEqual(policy().judgePort(port), { allowed: false, rule: 'blocked-port/0' })
    assert.deepEqual(policy().judge(['8.8.8.8'], port).allowed, [])
  }
  for (const port of [1, 24, 26, 465, 587, 65_535]) assert.equal(policy().judgePort(port).allowed, true)
})

test("the edge's own listeners are a loop, on public addresses and on closed ones", () => {
  const own = policy({ host: '127.0.0.1', port: 7000 }, { host: '::', port: 7001 })
  const rule = (ip: string, port: number): string => own.judge([ip], port).verdict.rule
  assert.equal(rule('127.0.0.1', 7000), 'own-listener')
  assert.equal(rule('::ffff:127.0.0.1', 7000), 'own-listener')
  assert.equal(rule('127.0.0.1', 7002), 'blocked-destinations/loopback')
  assert.equal(rule('203.0.114.9', 7001), 'own-listener')
  assert.equal(rule('203.0.114.9', 7002), 'public')
  assert.equal(rule('10.0.0.9', 7001), 'own-listener')
})

test('a loop is told before a closed address, and neither before an address that may be dialled', () => {
  const own = policy({ host: '203.0.114.9', port: 443 })
  assert.equal(own.judge(['10.0.0.1', '203.0.114.9'], 443).verdict.rule, 'own-listener')
  assert.deepEqual(own.judge(['203.0.114.9', '8.8.8.8'], 443).allowed, ['8.8.8.8'])
})

test('listeners opened later count from then on', () => {
  const own: { host: string; port: number }[] = []
  const live = publicEgress({ ownListeners: () => own, localAddresses: () => [] })
  assert.equal(live.judge(['203.0.114.9'], 443).verdict.allowed, true)
  own.push({ host: '203.0.114.9', port: 443 })
  assert.equal(live.judge(['203.0.114.9'], 443).verdict.allowed, false)
})

test('without a list of local addresses, the machine is asked', () => {
  const real = publicEgress({ ownListeners: () => [{ host: '0.0.0.0', port: 7000 }] })
  assert.equal(real.judge(['127.0.0.1'], 7000).verdict.rule, 'own-listener')
  assert.equal(real.judge(['8.8.8.8'], 7000).verdict.rule, 'public')
})

test('every rule of refusal has its code', () => {
  assert.equal(refusalCode('own-listener'), 'proxy_loop_detected')
  assert.equal(refusalCode('blocked-port/25'), 'destination_port_prohibited')
  assert.equal(refusalCode('blocked-port/0'), 'address_invalid')
  assert.equal(refusalCode('no-address'), 'dns_error')
  assert.equal(refusalCode('blocked-destinations/loopback'), 'destination_ip_prohibited')
  assert.equal(refusalCode('blocked-names/localhost'), 'destination_ip_prohibited')
})
