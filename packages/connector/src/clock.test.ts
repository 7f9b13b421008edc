import assert from 'node:assert/strict'
import test from 'node:test'
import { systemClock } from './clock.ts'

test('a wait ends when its time has come', async () => {
  const before = systemClock.now()
  await systemClock.wait(5, new AbortController().signal)
  assert.ok(systemClock.now() - before >= 4)
})

test(
  'a wait ends at once, without failing, when the signal aborts before or during it',
  { timeout: 5000 },
  async () => {
    const stop = new AbortController()
    const waiting = systemClock.wait(3_600_000, stop.signal)
    stop.abort()
    await waiting
    await systemClock.wait(3_600_000, stop.signal)
  },
)

test('chance stays between 0 and 1', () => {
  for (let at = 0; at < 100; at += 1) {
    const drawn = systemClock.random()
    assert.ok(drawn >= 0 && drawn < 1)
  }
})
