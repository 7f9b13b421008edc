import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import test from 'node:test'
import { HawserError } from '@hawser/core'
import type { Probe } from '@hawser/core'
import { CapturedLog } from '@hawser/testkit'
import { FakeClock } from './fake-clock.ts'
import { Prober } from './prober.ts'

const limits = { timeout: 10_000 }
const probe: Probe = { type: 'tcp', host: 'db', port: 1, path: '/', intervalMs: 10_000, timeoutMs: 2_000 }
const refused = new HawserError('connection_refused', 'no')

/** A prober whose dials end as `script` says, one after the other; after its end all succeed. */
function bench(...script: ('ok' | HawserError)[]): {
  prober: Prober
  clock: FakeClock
  log: CapturedLog
  changes: () => number
  asked: string[]
  /** Waits until a probe rests, lets `ms` pass, and waits until it rests again. */
  readonly after: (ms: number) => Promise<void>
} {
  const clock = new FakeClock()
  clock.chance = 0
  const log = new CapturedLog()
  const asked: string[] = []
  let changes = 0
  const prober = new Prober({
    clock,
    logger: log,
    onChange: () => (changes += 1),
    dial: async ({ host }) => {
      asked.push(host)
      const answer = script.shift() ?? 'ok'
      if (answer !== 'ok') throw answer
      const stream = new PassThrough()
      return { stream, socket: stream, remoteAddress: '10.0.0.1:1' }
    },
  })
  const after = async (ms: number): Promise<void> => {
    await clock.waiting()
    clock.advance(ms)
    await new Promise(setImmediate)
    await clock.waiting()
  }
  return { prober, clock, log, changes: () => changes, asked, after }
}

test('the first answer counts, and then only what changes is told', limits, async () => {
  const { prober, log, changes, asked, after } = bench('ok', 'ok', 'ok')
  prober.set([probe])
  assert.deepEqual(prober.health, [])
  await after(0)
  assert.deepEqual(prober.health, [{ host: 'db', port: 1, healthy: true }])
  await after(10_000)
  await after(10_000)
  assert.deepEqual([changes(), asked.length, log.lines.length], [1, 3, 1])
  prober.set([])
})

test('a target that served is asked twice before it counts as lost; one success brings it back', limits, async () => {
  const { prober, changes, after } = bench('ok', refused, 'ok', refused, refused, refused, 'ok')
  prober.set([probe])
  await after(0)
  await after(10_000)
  await after(1_000)
  assert.equal(changes(), 1, 'a single failure is nothing')
  await after(10_000)
  assert.equal(prober.health[0]?.healthy, true)
  await after(1_000)
  assert.deepEqual(prober.health, [{ host: 'db', port: 1, healthy: false, code: 'connection_refused' }])
  await after(10_000)
  assert.equal(changes(), 2)
  await after(10_000)
  assert.deepEqual(prober.health, [{ host: 'db', port: 1, healthy: true }])
  assert.equal(changes(), 3)
  prober.set([])
})

test('a probe that is asked for again keeps what it knows; one that is not is forgotten', limits, async () => {
  const { prober, asked, after, clock } = bench()
  prober.set([probe])
  await after(0)
  prober.set([{ ...probe }, { ...probe, host: 'other' }])
  assert.equal(prober.health.length, 1)
  await clock.waiting(2)
  clock.advance(0)
  await new Promise(setImmediate)
  await clock.waiting(2)
  assert.equal(prober.health.length, 2)
  prober.set([])
  assert.deepEqual(prober.health, [])
  clock.advance(60_000)
  await new Promise(setImmediate)
  assert.deepEqual(asked, ['db', 'other'])
})
