import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publicEgress } from '@hawser/policy'
import { RELAXABLE_RULES, relaxableRule, relaxEgress } from './relaxed-egress.ts'
import type { RelaxableRule } from './relaxed-egress.ts'

const egress = publicEgress({ ownListeners: () => [{ host: '127.0.0.1', port: 8787 }], localAddresses: () => [] })
const PUBLIC = '93.184.216.34'

function relaxed(...rules: RelaxableRule[]) {
  return relaxEgress(egress, new Set(rules))
}

test('with nothing relaxed it is the policy itself', () => {
  assert.equal(relaxed(), egress)
})

test('each rule is turned off alone, and the verdict says which would have refused', () => {
  const rows = [
    ['blocked-addresses', '10.0.1.50', 5432, 'relaxed/blocked-destinations/private'],
    ['blocked-addresses', '127.0.0.1', 5432, 'relaxed/blocked-destinations/loopback'],
    ['blocked-ports', PUBLIC, 25, 'relaxed/blocked-port/25'],
    ['loops', '127.0.0.1', 8787, 'relaxed/own-listener'],
  ] as const
  for (const [rule, address, port, expected] of rows) {
    const decision = relaxed(rule).judge([address], port)
    assert.deepEqual(decision, { verdict: { allowed: true, rule: expected }, allowed: [address] }, expected)
    const others = RELAXABLE_RULES.filter((name) => name !== rule)
    assert.equal(relaxed(...others).judge([address], port).verdict.allowed, false, `${expected} needs ${rule}`)
  }
})

test('where production dials some of the addresses, these and no others are dialled', () => {
  const decision = relaxed(...RELAXABLE_RULES).judge([PUBLIC, '10.0.0.1'], 443)
  assert.deepEqual(decision, { verdict: { allowed: true, rule: 'public' }, allowed: [PUBLIC] })
})

test('a private address on port 25 needs both rules', () => {
  assert.equal(relaxed('blocked-ports').judge(['10.0.0.1'], 25).verdict.allowed, false)
  assert.equal(relaxed('blocked-addresses').judge(['10.0.0.1'], 25).verdict.allowed, false)
  assert.equal(relaxed('blocked-addresses', 'blocked-ports').judge(['10.0.0.1'], 25).verdict.allowed, true)
})

test('what is no address and no port stays refused', () => {
  const all = relaxed(...RELAXABLE_RULES)
  assert.equal(all.judge([], 443).verdict.rule, 'no-address')
  assert.equal(all.judgePort(0).allowed, false)
  assert.deepEqual(all.judgePort(25), { allowed: true, rule: 'relaxed/blocked-port/25' })
  assert.deepEqual(all.judgePort(443), { allowed: true, rule: 'public' })
})

test('rules of the policy are told apart by name', () => {
  assert.equal(relaxableRule('blocked-names/localhost'), 'blocked-addresses')
  assert.equal(relaxableRule('blocked-port/0'), undefined)
  assert.equal(relaxableRule('public'), undefined)
})
