import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ENDINGS, MAX_LINE_BYTES, parsePlan, pieceSizes, planFlow, planLine, resetAfter } from './plan.ts'

test('the same seed plans the same flows, of every ending and of many sizes', () => {
  const plans = Array.from({ length: 500 }, (_, id) => planFlow(9, id))
  assert.deepEqual(
    plans,
    Array.from({ length: 500 }, (_, id) => planFlow(9, id)),
  )
  assert.deepEqual(new Set(plans.map(({ ending }) => ending)), new Set(ENDINGS))
  assert.ok(plans.some(({ up }) => up < 10) && plans.some(({ up }) => up > 500_000))
})

test('limits are kept', () => {
  for (let id = 0; id < 200; id += 1) {
    const { up, down } = planFlow(1, id, { maxBytes: 1_000 })
    assert.ok(up <= 1_000 && down <= 1_000)
  }
})

test('a plan survives its line', () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat({ max: 10_000_000 }), (seed, id) => {
      const plan = planFlow(seed, id)
      const line = planLine(plan)
      assert.ok(line.length <= MAX_LINE_BYTES)
      assert.deepEqual(parsePlan(line.trimEnd()), plan)
    }),
  )
})

test('what is no plan is none', () => {
  for (const line of ['', 'hello', '1 both 2 3', '1 sideways 2 3 4', '1 both 2 3 4 5', '-1 both 2 3 4']) {
    assert.equal(parsePlan(line), undefined, line)
  }
})

test('pieces add up, and differ in size', () => {
  const sizes = [...pieceSizes(5, 1_000_000)]
  assert.equal(
    sizes.reduce((sum, bytes) => sum + bytes, 0),
    1_000_000,
  )
  assert.ok(Math.min(...sizes) < 100 && Math.max(...sizes) > 10_000)
  assert.deepEqual([...pieceSizes(5, 0)], [])
})

test('a reset comes before the last byte', () => {
  for (let id = 0; id < 200; id += 1) {
    const plan = planFlow(2, id)
    assert.ok(resetAfter(plan) < plan.down)
  }
})
