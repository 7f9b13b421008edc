import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ErrorCode, FlowRecord } from '@hawser/core'
import { CapturedLog } from '@hawser/testkit'
import { admit } from './admit.ts'
import { dial } from './dial.ts'
import { FakeCall, fakeFlow } from './fake-flow.ts'
import { FlowRecorder, record } from './record.ts'
import { route } from './route.ts'
import { target } from './target.ts'

function failed(flow: FlowRecord, code: ErrorCode): void {
  flow.error = { code, message: 'why', step: 'dial' }
}

test('record: gives the place back, sets the outcome and logs one line', () => {
  const { context, binding, flow, log, ended } = fakeFlow()
  void admit(context)
  record(context)
  assert.equal(binding.open.size, 0)
  assert.equal(flow.outcome, 'ok')
  assert.equal(typeof flow.timings.record, 'number')
  assert.deepEqual(ended, [flow])
  assert.deepEqual(
    log.lines.map((line) => [line.level, line.message, line.fields['flow'], line.fields['requested']]),
    [['debug', 'flow', flow.id, 'db.internal:5432']],
  )
})

test('record: a flow is open from its admission to its end, once, and how long its dial took is kept', async () => {
  const { context, services, flow } = fakeFlow()
  const { counters } = services.recorder
  for (const step of [target, admit, admit, route, dial]) await step(context)
  flow.timings.dial = 30
  assert.equal(counters.open, 1)
  assert.equal(counters.dialSeconds.sum, 0)
  record(context)
  assert.deepEqual([counters.open, counters.dialSeconds.sum], [0, 0.03])
})

test('record: a flow that was never admitted, or whose dial failed, counts as neither', () => {
  const { context, services, flow } = fakeFlow()
  flow.timings.dial = 30
  failed(flow, 'connection_refused')
  record(context)
  const { open, dialSeconds } = services.recorder.counters
  assert.deepEqual([open, dialSeconds.sum], [0, 0])
})

test('record: a failure is logged at info with its code and step', () => {
  const { context, flow, log } = fakeFlow()
  failed(flow, 'connection_refused')
  record(context)
  assert.equal(flow.outcome, 'error')
  const [line] = log.at('info')
  assert.deepEqual(
    [line?.fields['code'], line?.fields['step'], line?.fields['reason']],
    ['connection_refused', 'dial', 'why'],
  )
})

test('record: what the Worker gave up is aborted, not an error', () => {
  const { context, flow, services } = fakeFlow()
  failed(flow, 'connection_aborted')
  record(context)
  assert.equal(flow.outcome, 'aborted')
  const { aborted, failed: errors } = services.recorder.counters
  assert.deepEqual([aborted, errors], [1, 0])
})

test('record: a failed call can be asked about by its id', () => {
  const { context, flow, binding } = fakeFlow({ call: new FakeCall('db.internal', 1, 'call7') })
  failed(flow, 'dns_error')
  record(context)
  assert.deepEqual(binding.failures.recall('call7', performance.now()), {
    code: 'dns_error',
    message: 'why',
    flow: flow.id,
  })
})

test('record: counts flows, bytes and codes', () => {
  const recorder = new FlowRecorder(new CapturedLog())
  const { flow } = fakeFlow()
  recorder.keep({ ...flow, outcome: 'ok', bytesSent: 3, bytesReceived: 5 })
  const error = { code: 'dns_error', message: '', step: 'dial' } as const
  for (let time = 0; time < 2; time += 1) recorder.keep({ ...flow, outcome: 'error', error, bytesSent: 1 })
  const { ok, failed: errors, aborted, bytesSent, bytesReceived, byCode } = recorder.counters
  assert.deepEqual([ok, errors, aborted, bytesSent, bytesReceived], [1, 2, 0, 5, 5])
  assert.deepEqual([...byCode], [['dns_error', 2]])
})

test('record: keeps the latest thousand flows, oldest first', () => {
  const recorder = new FlowRecorder(new CapturedLog())
  const { flow } = fakeFlow()
  for (let at = 0; at < 2_500; at += 1) recorder.keep({ ...flow, id: String(at) })
  const ids = recorder.recent().map((recent) => Number(recent.id))
  assert.equal(ids.length, 1_000)
  assert.deepEqual([ids[0], ids.at(-1)], [1_500, 2_499])
  assert.deepEqual(
    ids,
    ids.toSorted((a, b) => a - b),
  )
})

test('record: a listener that throws is logged and harms nothing', () => {
  const log = new CapturedLog()
  const recorder = new FlowRecorder(log, () => {
    throw new Error('broken')
  })
  recorder.keep(fakeFlow().flow)
  assert.equal(recorder.recent().length, 1)
  assert.equal(log.at('error').length, 1)
})
