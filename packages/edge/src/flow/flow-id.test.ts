import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { newFlowId } from './flow-id.ts'

test('flow id: short, of letters and digits that go anywhere', () => {
  assert.match(newFlowId(Date.now()), /^[0-9a-hjkmnp-tv-z]{19}$/)
})

test('flow id: sorts by time', () => {
  const time = fc.integer({ min: 0, max: 2 ** 44 })
  fc.assert(
    fc.property(time, time, (a, b) => {
      fc.pre(a < b)
      assert.ok(newFlowId(a) < newFlowId(b))
    }),
  )
})

test('flow id: many in one millisecond are all different', () => {
  const ids = new Set(Array.from({ length: 20_000 }, () => newFlowId(1_700_000_000_000)))
  assert.equal(ids.size, 20_000)
})
