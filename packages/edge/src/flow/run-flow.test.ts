import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { FLOW_STEPS, HawserError } from '@hawser/core'
import type { ErrorCode, FlowStep } from '@hawser/core'
import { FakeCall, fakeFlow, PUBLIC } from './fake-flow.ts'
import type { FakeFlow, FakeFlowOptions } from './fake-flow.ts'
import { runFlow } from './run-flow.ts'

const TIMEOUT = { timeout: 5_000 }

/** Runs the call of a fake flow through a flow of its own. */
const run = ({ services, binding, call }: FakeFlow): Promise<void> => runFlow(services, binding, call)

test('flow: a call takes all nine steps in order and moves bytes both ways', TIMEOUT, async () => {
  const fake = fakeFlow({ call: new FakeCall('db.internal', 5432, 'c1') })
  const done = run(fake)
  fake.call.worker.end('ping')
  while (fake.dialer.ends.length === 0) await new Promise(setImmediate)
  const [far] = fake.dialer.ends
  assert.ok(far)
  assert.equal(await text(far), 'ping')
  assert.equal(fake.binding.open.size, 1)
  far.end('pong!')
  assert.equal(await text(fake.call.worker), 'pong!')
  await done
  const [flow] = fake.ended
  assert.deepEqual([flow?.outcome, flow?.bytesSent, flow?.bytesReceived, flow?.error], ['ok', 4, 5, undefined])
  assert.deepEqual(Object.keys(flow?.timings ?? {}), [...FLOW_STEPS])
  assert.equal(fake.call.refused, undefined)
  assert.equal(fake.binding.open.size, 0)
})

interface Case {
  readonly name: string
  readonly options?: FakeFlowOptions
  readonly prepare?: (fake: FakeFlow) => void
  readonly code: ErrorCode
  readonly step: FlowStep
}

const unavailable = {
  pick: () => undefined,
  explain: () => Promise.resolve(new HawserError('destination_unavailable', 'none')),
}
const cases: readonly Case[] = [
  {
    name: 'an address that is none',
    options: { call: new FakeCall('a b', 1) },
    code: 'address_invalid',
    step: 'target',
  },
  {
    name: 'the edge’s own names',
    options: { call: new FakeCall('x.hawser', 1) },
    code: 'destination_not_found',
    step: 'target',
  },
  {
    name: 'a name that does not resolve',
    options: { network: PUBLIC, services: { resolve: () => Promise.reject(new HawserError('dns_error', 'no')) } },
    code: 'dns_error',
    step: 'target',
  },
  {
    name: 'a resolver that breaks',
    options: { network: PUBLIC, services: { resolve: () => Promise.reject(new Error('broken')) } },
    code: 'proxy_internal_error',
    step: 'target',
  },
  {
    name: 'port 25',
    options: { network: PUBLIC, call: new FakeCall('mail.example.com', 25) },
    code: 'destination_port_prohibited',
    step: 'target',
  },
  {
    name: 'too many calls',
    prepare: ({ binding, context }) => void binding.open.add(context).add(fakeFlow().context),
    code: 'connection_limit_reached',
    step: 'admit',
  },
  {
    name: 'a private address',
    options: { network: PUBLIC, call: new FakeCall('10.0.0.1', 80) },
    code: 'destination_ip_prohibited',
    step: 'policy',
  },
  {
    name: 'the edge itself',
    options: { network: PUBLIC, call: new FakeCall('127.0.0.1', 4444) },
    code: 'proxy_loop_detected',
    step: 'policy',
  },
  {
    name: 'no connector',
    options: { services: { tunnels: unavailable } },
    code: 'destination_unavailable',
    step: 'route',
  },
  {
    name: 'a refused dial',
    prepare: ({ dialer }) => (dialer.failure = new HawserError('connection_refused', 'no')),
    code: 'connection_refused',
    step: 'dial',
  },
  {
    name: 'a dialer that breaks',
    prepare: ({ dialer }) => (dialer.failure = new TypeError('broken')),
    code: 'proxy_internal_error',
    step: 'dial',
  },
]
for (const { name, options, prepare, code, step } of cases) {
  test(`flow: ${name} ends in ${code} at ${step}, recorded once, then told`, TIMEOUT, async () => {
    const fake = fakeFlow(options)
    prepare?.(fake)
    const before = fake.binding.open.size
    const told: (ErrorCode | undefined)[] = []
    const refuse = fake.call.refuse.bind(fake.call)
    fake.call.refuse = (error) => {
      told.push(fake.ended[0]?.error?.code) // recorded first: a module may ask at once
      refuse(error)
    }
    await run(fake)
    assert.equal(fake.ended.length, 1)
    const [flow] = fake.ended
    assert.deepEqual([flow?.outcome, flow?.error?.code, flow?.error?.step], ['error', code, step])
    assert.equal(fake.call.refused?.code, code)
    assert.equal(fake.call.accepted, false)
    assert.deepEqual(told, [code])
    assert.equal(fake.binding.open.size, before)
    const reached = [...FLOW_STEPS.slice(0, FLOW_STEPS.indexOf(step) + 1), 'record']
    assert.deepEqual(Object.keys(flow?.timings ?? {}), reached)
  })
}

test('flow: a failure of the target in mid-stream is connection_terminated', TIMEOUT, async () => {
  const fake = fakeFlow()
  const done = run(fake)
  while (!fake.call.accepted) await new Promise(setImmediate)
  fake.dialer.streams[0]?.destroy(new Error('reset'))
  await done
  const [flow] = fake.ended
  assert.deepEqual([flow?.outcome, flow?.error?.code, flow?.error?.step], ['error', 'connection_terminated', 'relay'])
  assert.equal(fake.binding.open.size, 0)
})

test('flow: a Worker that goes while its target is dialled is aborted', TIMEOUT, async () => {
  const fake = fakeFlow()
  fake.dialer.gate = new Promise(() => {})
  const done = run(fake)
  while (fake.dialer.targets.length === 0) await new Promise(setImmediate)
  fake.call.onGone?.(new HawserError('connection_aborted', 'gone'))
  await done
  assert.deepEqual([fake.ended[0]?.outcome, fake.ended[0]?.error?.step], ['aborted', 'dial'])
})

test('flow: an edge that stops ends what is being relayed', TIMEOUT, async () => {
  const fake = fakeFlow()
  const done = run(fake)
  while (!fake.call.accepted) await new Promise(setImmediate)
  for (const context of fake.binding.open) context.abort(new HawserError('connection_terminated', 'stopping'))
  await done
  assert.deepEqual([fake.ended[0]?.outcome, fake.ended[0]?.error?.message], ['error', 'stopping'])
  assert.equal(fake.dialer.streams[0]?.destroyed, true)
})
