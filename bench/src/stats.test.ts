import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compare, median, ratioOf } from './stats.ts'

const samples = fc.array(fc.double({ min: 0.001, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 30 })

test('the median of an odd number of values is the middle one, in whatever order they come', () => {
  assert.equal(median([9, 1, 5]), 5)
  assert.equal(median([7]), 7)
  assert.equal(median([3, 100, 2, 1, 50]), 3)
})

test('the median of an even number of values is the mean of the two middle ones', () => {
  assert.equal(median([4, 1, 3, 2]), 2.5)
  assert.equal(median([1, 1]), 1)
})

test('figures are sorted as numbers, not as text', () => {
  assert.equal(median([10, 9, 100]), 10)
})

test('nothing has no median', () => {
  assert.throws(() => median([]), RangeError)
})

test('half of the values are at or below the median, half at or above', () => {
  fc.assert(
    fc.property(samples, (values) => {
      const middle = median(values)
      assert.ok(values.filter((value) => value <= middle).length * 2 >= values.length)
      assert.ok(values.filter((value) => value >= middle).length * 2 >= values.length)
    }),
  )
})

test('the median does not change the list it is given', () => {
  const values = [3, 1, 2]
  median(values)
  assert.deepEqual(values, [3, 1, 2])
})

test('a ratio above 1 means that ours is better, for throughput and for memory alike', () => {
  assert.equal(ratioOf(200, 100, 'more'), 2)
  assert.equal(ratioOf(100, 200, 'more'), 0.5)
  assert.equal(ratioOf(10, 40, 'less'), 4)
  assert.equal(ratioOf(40, 10, 'less'), 0.25)
})

test('exchanging the sides turns the ratio over', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 1e6 }), (a, b) => {
      for (const better of ['more', 'less'] as const) {
        assert.ok(Math.abs(ratioOf(a, b, better) * ratioOf(b, a, better) - 1) < 1e-9)
      }
    }),
  )
})

test('a comparison gives both medians and their ratio', () => {
  const comparison = compare([10, 30, 20], [5, 10, 1_000], 'more')
  assert.equal(comparison.ours, 20)
  assert.equal(comparison.theirs, 10)
  assert.equal(comparison.ratio, 2)
})

test('the spread is the lowest and highest ratio of one round', () => {
  assert.deepEqual(compare([10, 30, 20], [5, 10, 40], 'more').spread, [0.5, 3])
  assert.deepEqual(compare([10, 20], [20, 10], 'less').spread, [0.5, 2])
})

test('equal samples compare as exactly 1 with no spread', () => {
  fc.assert(
    fc.property(samples, fc.constantFrom('more' as const, 'less' as const), (values, better) => {
      const { ratio, spread } = compare(values, values, better)
      assert.equal(ratio, 1)
      assert.deepEqual(spread, [1, 1])
    }),
  )
})

test('samples that are not whole rounds are refused', () => {
  assert.throws(() => compare([1, 2], [1], 'more'), /2 and 1 samples/)
})

test('a sample that is no measurement is refused instead of becoming a ratio', () => {
  for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => compare([bad], [1], 'more'), /above zero/)
    assert.throws(() => compare([1], [bad], 'less'), /above zero/)
  }
})
