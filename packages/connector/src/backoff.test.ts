import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { Backoff, FIRST_DELAY_MS, GOOD_SPELL_MS, LASTING_DELAY_MS, MAX_DELAY_MS } from './backoff.ts'
import { FakeClock } from './fake-clock.ts'

test('the ceiling doubles from 250 ms and stops at 2 s', () => {
  const clock = new FakeClock()
  clock.chance = 1
  const backoff = new Backoff(clock)
  const delays = Array.from({ length: 6 }, () => backoff.next())
  assert.deepEqual(delays, [250, 500, 1000, 2000, 2000, 2000])
})

test('jitter is full: with the lowest draw the wait is nothing', () => {
  const clock = new FakeClock()
  clock.chance = 0
  const backoff = new Backoff(clock)
  assert.deepEqual(
    Array.from({ length: 5 }, () => backoff.next()),
    [0, 0, 0, 0, 0],
  )
})

test('a connection that lived 30 s starts the series anew, a shorter one does not', () => {
  const clock = new FakeClock()
  clock.chance = 1
  const backoff = new Backoff(clock)
  backoff.next()
  backoff.next()
  backoff.lived(GOOD_SPELL_MS - 1)
  assert.equal(backoff.next(), 1000)
  assert.equal(backoff.failures, 3)
  backoff.lived(GOOD_SPELL_MS)
  assert.equal(backoff.failures, 0)
  assert.equal(backoff.next(), FIRST_DELAY_MS)
})

test('a slow retry waits 5 to 10 s', () => {
  const clock = new FakeClock()
  const backoff = new Backoff(clock)
  clock.chance = 0
  assert.equal(backoff.slow(), LASTING_DELAY_MS / 2)
  clock.chance = 1
  assert.equal(backoff.slow(), LASTING_DELAY_MS)
})

test('no series of failures leads out of the limits', () => {
  const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(fc.array(fc.tuple(draw, fc.boolean()), { maxLength: 2000 }), (steps) => {
      const clock = new FakeClock()
      const backoff = new Backoff(clock)
      for (const [chance, slow] of steps) {
        clock.chance = chance
        const delay = slow ? backoff.slow() : backoff.next()
        assert.ok(delay >= 0 && delay <= (slow ? LASTING_DELAY_MS : MAX_DELAY_MS))
      }
    }),
    { numRuns: 50 },
  )
})
