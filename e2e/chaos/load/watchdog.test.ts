import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HealthyClock, SilenceWatch } from './watchdog.ts'

test('the clock stands still while something is broken', () => {
  let nowMs = 0
  const clock = new HealthyClock(() => nowMs)
  nowMs = 10
  assert.equal(clock.ms, 10)
  clock.broken = true
  nowMs = 500
  assert.equal(clock.ms, 10)
  clock.broken = true // a second fault at the same time
  nowMs = 600
  clock.broken = false
  nowMs = 605
  assert.equal(clock.ms, 15)
})

test('a flow is silent when nothing has moved for longer than the limit', () => {
  const progress = { opened: false, sent: 0, received: 0 }
  const watch = new SilenceWatch(progress, 100, 0)
  assert.equal(watch.isSilent(100), false)
  progress.opened = true
  assert.equal(watch.isSilent(150), false)
  progress.received = 1
  assert.equal(watch.isSilent(250), false)
  assert.equal(watch.isSilent(350), false)
  assert.equal(watch.isSilent(351), true)
})
