import assert from 'node:assert/strict'
import { test } from 'node:test'
import { giveMemoryBackWhenQuiet, QuietTimes } from './quiet-memory.ts'

function looks(...loads: readonly number[]): boolean[] {
  const times = new QuietTimes()
  return loads.map((load) => times.look(load))
}

test('a busy time is over after two quiet looks, and that is said once', () => {
  assert.deepEqual(looks(0.5, 0.9, 0.01, 0.01, 0, 0, 0), [false, false, false, true, false, false, false])
})

test('each busy time has its end', () => {
  assert.deepEqual(looks(0.5, 0, 0, 0.5, 0, 0), [false, false, true, false, false, true])
})

test('a process that was never busy has nothing to give back', () => {
  assert.deepEqual(looks(0, 0.05, 0.19, 0.05, 0, 0), [false, false, false, false, false, false])
})

test('a short pause is not quiet', () => {
  assert.deepEqual(looks(0.5, 0, 0.15, 0, 0.3, 0), [false, false, false, false, false, false])
})

test('after a busy time memory is collected, looking every five seconds', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let [cpuMs, nowMs, collected] = [0, 0, 0]
  t.mock.method(process, 'cpuUsage', () => ({ user: cpuMs * 600, system: cpuMs * 400 }))
  t.mock.method(performance, 'now', () => nowMs)
  const stop = giveMemoryBackWhenQuiet(() => (collected += 1))
  const pass = (busyMs: number): number => {
    cpuMs += busyMs
    nowMs += 5_000
    t.mock.timers.tick(5_000)
    return collected
  }
  assert.deepEqual([pass(2_000), pass(400), pass(100), pass(0)], [0, 0, 1, 1])
  stop()
  assert.deepEqual([pass(5_000), pass(0), pass(0)], [1, 1, 1])
})

test('a heap that has shrunk is given back to the system', { timeout: 20_000 }, async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let cpuMs = 0
  t.mock.method(process, 'cpuUsage', () => ({ user: cpuMs * 1_000, system: 0 }))
  const stop = giveMemoryBackWhenQuiet()
  let kept: object[] = Array.from({ length: 400_000 }, (_, index) => ({ index, text: `${index}` }))
  const before = process.memoryUsage().heapTotal
  assert.equal(kept.length, 400_000)
  kept = []
  cpuMs = 1e9 // in no time: busy
  t.mock.timers.tick(5_000)
  t.mock.timers.tick(10_000)
  stop()
  while (process.memoryUsage().heapTotal > before / 2) await new Promise(setImmediate)
})
