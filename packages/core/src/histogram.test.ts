import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { Histogram } from './histogram.ts'

test('a value counts once, in the first bucket whose bound it does not exceed', () => {
  const histogram = new Histogram([1, 10, 100])
  for (const value of [0, 1, 1.5, 10, 10.1, 1000]) histogram.observe(value)
  assert.deepEqual([...histogram.counts], [2, 2, 1, 1])
  assert.equal(histogram.sum, 1022.6)
})

test('whatever the values, the buckets add up to their number and agree with a count by hand', () => {
  const bounds = [1, 10, 25, 50, 100]
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 200, noNaN: true })), (values) => {
      const histogram = new Histogram(bounds)
      for (const value of values) histogram.observe(value)
      let below = 0
      for (const [at, bound] of bounds.entries()) {
        below += histogram.counts[at] ?? 0
        assert.equal(below, values.filter((value) => value <= bound).length)
      }
      assert.equal(below + (histogram.counts[bounds.length] ?? 0), values.length)
    }),
  )
})

test('what is no number is not lost', () => {
  const histogram = new Histogram([1])
  histogram.observe(Number.NaN)
  assert.deepEqual([...histogram.counts], [0, 1])
})
