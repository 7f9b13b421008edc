import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { between, magnitude, oneOf, seeded, shuffled, subSeed } from './random.ts'

const draws = (seed: number): number[] => {
  const random = seeded(seed)
  return Array.from({ length: 50 }, random)
}

test('the same seed gives the same numbers, another one others', () => {
  assert.deepEqual(draws(7), draws(7))
  assert.notDeepEqual(draws(7), draws(8))
  for (const value of draws(-1)) assert.ok(value >= 0 && value < 1)
})

test('parts of a run have seeds of their own', () => {
  const seeds = Array.from({ length: 2_000 }, (_, id) => subSeed(1, id))
  assert.equal(new Set(seeds).size, seeds.length)
  assert.equal(subSeed(1, 2, 3), subSeed(1, 2, 3))
})

test('numbers keep to their bounds', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 0, max: 1e6 }), (seed, low, more) => {
      const random = seeded(seed)
      for (const draw of [between, magnitude]) {
        const value = draw(random, low, low + more)
        assert.ok(Number.isInteger(value) && value >= low && value <= low + more, `${value}`)
      }
    }),
  )
})

test('a shuffled list has the same values', () => {
  const values = [1, 2, 3, 4, 5, 6, 7, 8]
  const mixed = shuffled(seeded(3), values)
  assert.notDeepEqual(mixed, values)
  assert.deepEqual(
    mixed.toSorted((one, other) => one - other),
    values,
  )
  assert.ok(values.includes(oneOf(seeded(4), values)))
})
