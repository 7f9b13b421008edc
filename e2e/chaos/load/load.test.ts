import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FlowPlan } from '../flow/plan.ts'
import type { FlowResult } from '../flow/run-flow.ts'
import type { Caller } from './callers.ts'
import { Load } from './load.ts'
import { sumOf, Tally } from './tally.ts'

const LIMIT = { timeout: 20_000 } as const
const result = (id: number, change: Partial<FlowResult> = {}): FlowResult => ({
  id,
  outcome: 'ok',
  sent: 3,
  received: 4,
  ...change,
})

function caller(run: (plan: FlowPlan, signal: AbortSignal) => Promise<FlowResult>): Caller {
  return {
    name: 'fake',
    plan: (_seed, id) => ({ id, ending: 'both', up: 3, down: 4, pauseMs: 0 }),
    run: (plan, _progress, signal) => run(plan, signal),
  }
}

test('where a flow ends the next begins, and never more than so many run', LIMIT, async () => {
  let open = 0
  let most = 0
  const ids: number[] = []
  const fake = caller(async ({ id }) => {
    open += 1
    most = Math.max(most, open)
    ids.push(id)
    await new Promise(setImmediate)
    open -= 1
    if (id === 50) load.stop()
    return result(id)
  })
  const load = new Load(1, [{ caller: fake, flows: 7 }])
  await load.run()
  assert.equal(most, 7)
  assert.equal(new Set(ids).size, ids.length)
  const { flows, ok, bytes, open: left } = load.totals()
  assert.deepEqual([flows, ok, bytes, left], [ids.length, ids.length, ids.length * 7, 0])
})

test('a flow that says nothing is given up, counted, and told so', LIMIT, async () => {
  let nowMs = 0
  const told = Promise.withResolvers<void>()
  const fake = caller(
    (_plan, signal) => new Promise(() => signal.addEventListener('abort', () => told.resolve(), { once: true })),
  )
  const load = new Load(1, [{ caller: fake, flows: 1 }], () => nowMs)
  const running = load.run()
  load.stop()
  nowMs = 20_001
  await told.promise
  await running
  assert.match(
    load.totals().silent[0] ?? '',
    /flow 1 by fake, both: nothing for 20 s: not open, 0 of 3 sent, 0 of 4 received/,
  )
})

test('results add up by code, and each that must not be has its line', () => {
  const lines: string[] = []
  const tally = new Tally((line) => void lines.push(line))
  tally.add(result(1), 'x', 'both')
  tally.add(result(2, { outcome: 'failed', code: 'tunnel_closed' }), 'x', 'both')
  tally.add(result(3, { outcome: 'failed', code: 'tunnel_closed' }), 'x', 'both')
  tally.add(result(4, { outcome: 'failed', detail: 'oops' }), 'x', 'both')
  tally.add(result(5, { outcome: 'corrupted', detail: 'a clean end', early: true }), 'x', 'both')
  tally.addSilent(6, 'x', 'nothing')
  const { corrupted, ...totals } = tally.totals(2)
  assert.deepEqual(
    corrupted.map(({ from, early, problem }) => ({ from, early, problem })),
    [{ from: 'x', early: true, problem: 'flow 5 by x, both: a clean end' }],
  )
  assert.deepEqual(totals, {
    flows: 6,
    ok: 1,
    bytes: 35,
    failures: { tunnel_closed: 2, uncoded: 1 },
    silent: ['flow 6 by x: nothing'],
    uncoded: ['flow 4 by x, both: oops'],
    open: 2,
  })
  assert.equal(lines.length, 4)
})

test('two runs add up', () => {
  const one = new Tally()
  one.add(result(1), 'x', 'both')
  one.add(result(2, { outcome: 'failed', code: 'tunnel_closed' }), 'x', 'both')
  const other = new Tally()
  other.add(result(1, { outcome: 'failed', code: 'tunnel_closed' }), 'x', 'both')
  other.add(result(2, { outcome: 'failed', code: 'ECONNRESET' }), 'x', 'both')
  other.addSilent(3, 'x', 'nothing')
  const { corrupted, ...totals } = sumOf(one.totals(0), other.totals(1))
  assert.deepEqual(corrupted, [])
  assert.deepEqual(totals, {
    flows: 5,
    ok: 1,
    bytes: 28,
    failures: { tunnel_closed: 2, ECONNRESET: 1 },
    silent: ['flow 3 by x: nothing'],
    uncoded: [],
    open: 1,
  })
})
