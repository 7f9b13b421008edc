import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import type { Dialer } from '@hawser/core'
import { admit } from './admit.ts'
import { FlowContext } from './context.ts'
import type { TunnelRoutes } from './context.ts'
import { dial } from './dial.ts'
import { FakeCall, FakeDialer, fakeFlow, hasCode, PUBLIC } from './fake-flow.ts'
import { policy } from './policy.ts'
import { route } from './route.ts'
import { target } from './target.ts'

test('admit: takes as many as the binding may have, and one more when one has gone', () => {
  const { context, services, binding, call, flow } = fakeFlow()
  const more = (): FlowContext => new FlowContext(services, binding, call, flow)
  const second = more()
  const third = more()
  void admit(context)
  void admit(second)
  assert.throws(
    () => admit(third),
    (error) => HawserError.is(error, 'connection_limit_reached') && /DB .*at most 2/.test(error.message),
  )
  binding.open.delete(context)
  void admit(third)
  assert.equal(binding.open.size, 2)
})

test('admit: a call that is tried again keeps its place', () => {
  const { context, binding } = fakeFlow()
  void admit(context)
  void admit(context)
  assert.equal(binding.open.size, 1)
})

test('policy: the connector decides what a tunnel reaches', async () => {
  const { context, flow } = fakeFlow({ call: new FakeCall('10.0.0.1', 25) })
  await target(context)
  policy(context)
  assert.deepEqual(flow.verdict, { allowed: true, rule: 'default-allow/tunnel' })
})

test('policy: of public addresses those that may be dialled are left', async () => {
  const resolve = (): Promise<readonly string[]> => Promise.resolve(['10.0.0.1', '93.184.216.34', '::1'])
  const { context, flow } = fakeFlow({ network: PUBLIC, services: { resolve } })
  await target(context)
  policy(context)
  assert.deepEqual(flow.target?.addresses, ['93.184.216.34'])
  assert.equal(flow.verdict?.allowed, true)
})

test('policy: a name that leads to private addresses alone is refused, and the message does not tell which', async () => {
  const { context, flow } = fakeFlow({ network: PUBLIC, services: { resolve: () => Promise.resolve(['10.1.2.3']) } })
  await target(context)
  assert.throws(
    () => policy(context),
    (error) => HawserError.is(error, 'destination_ip_prohibited') && !error.message.includes('10.1.2.3'),
  )
  assert.deepEqual(flow.verdict, { allowed: false, rule: 'blocked-destinations/private' })
})

test('policy: an address of the edge itself is a loop', async () => {
  const { context } = fakeFlow({ network: PUBLIC, call: new FakeCall('127.0.0.1', 4444) })
  await target(context)
  assert.throws(() => policy(context), hasCode('proxy_loop_detected'))
})

test('route: public targets directly, to the allowed addresses alone', async () => {
  const asked: (readonly string[])[] = []
  const directDialer = (addresses: readonly string[]): FakeDialer => {
    asked.push(addresses)
    return new FakeDialer()
  }
  const { context, flow } = fakeFlow({
    network: PUBLIC,
    call: new FakeCall('93.184.216.34', 80),
    services: { directDialer },
  })
  await target(context)
  policy(context)
  await route(context)
  assert.deepEqual(asked, [['93.184.216.34']])
  assert.deepEqual(flow.route, { via: 'direct' })
})

test('route: a tunnel by the connection that was picked', async () => {
  const { context, flow, dialer } = fakeFlow()
  await target(context)
  await route(context)
  assert.equal(context.dialer, dialer)
  assert.deepEqual(flow.route, { via: 'tunnel', tunnelId: 't1', matched: undefined, connectorId: 'connector-1' })
})

test('route: no connector is destination_unavailable, with the registry’s reason', async () => {
  const explain = (id: string): Promise<HawserError> =>
    Promise.resolve(new HawserError('destination_unavailable', `no ${id}`))
  const { context } = fakeFlow({ services: { tunnels: { pick: () => undefined, explain } } })
  await target(context)
  await assert.rejects(
    async () => route(context),
    (error) => HawserError.is(error, 'destination_unavailable') && error.message === 'no t1',
  )
})

test('dial: asks for the canonical target, the flow id and the limit, and notes who answered', async () => {
  const { context, flow, dialer } = fakeFlow({ call: new FakeCall('DB.internal', 5432) })
  await target(context)
  await route(context)
  await dial(context)
  const none = { otherHost: undefined, resolverIps: undefined }
  assert.deepEqual(dialer.targets, [{ host: 'db.internal', port: 5432, ...none, flowId: flow.id, timeoutMs: 1_000 }])
  assert.deepEqual(flow.route, {
    via: 'tunnel',
    tunnelId: 't1',
    matched: undefined,
    connectorId: 'connector-1',
    remoteAddress: '10.0.0.9:5432',
  })
  context.dialed?.stream.destroy()
})

test('dial: is given up when the Worker goes', async () => {
  const { context, call, dialer } = fakeFlow()
  dialer.gate = new Promise(() => {})
  await target(context)
  await route(context)
  const dialling = dial(context)
  call.onGone?.(new HawserError('connection_aborted', 'gone'))
  await assert.rejects(async () => dialling, hasCode('connection_aborted'))
})

test('dial: a connection that comes after the Worker has gone is not kept', async () => {
  const { context, call, dialer } = fakeFlow()
  const late: FakeDialer['dial'] = async (request) => {
    const dialed = await FakeDialer.prototype.dial.call(dialer, request, new AbortController().signal)
    call.onGone?.(new HawserError('connection_aborted', 'gone'))
    return dialed
  }
  await target(context)
  await route(context)
  context.dialer = { dial: late }
  await assert.rejects(async () => dial(context), hasCode('connection_aborted'))
  assert.equal(context.dialed?.stream.destroyed, true)
})

test('context: a step that runs too early says so', () => {
  const { context } = fakeFlow()
  assert.throws(() => context.target, hasCode('proxy_internal_error'))
})

test('context: only the first reason to abort counts, and a signal made later knows it', () => {
  const { context } = fakeFlow()
  context.throwIfAborted()
  context.abort(new HawserError('connection_aborted', 'first'))
  context.abort(new HawserError('proxy_internal_error', 'second'))
  assert.throws(() => context.throwIfAborted(), hasCode('connection_aborted'))
  assert.equal(context.signal.aborted, true)
  assert.ok(HawserError.is(context.signal.reason, 'connection_aborted'))
})

test('dial: a connector that is leaving is passed over for another one', async () => {
  const leaving = new FakeDialer()
  leaving.failure = new HawserError('tunnel_closed', 'draining')
  const staying = new FakeDialer()
  const pick = (_id: string, except?: ReadonlySet<Dialer>): FakeDialer | undefined =>
    [leaving, staying].find((dialer) => except?.has(dialer) !== true)
  const { context } = fakeFlow({ services: { tunnels: { pick, explain: () => Promise.reject(new Error('unused')) } } })
  await target(context)
  await route(context)
  await dial(context)
  assert.deepEqual([leaving.targets.length, staying.targets.length], [1, 1])
})

test('dial: with no other connector left it is destination_unavailable', async () => {
  const { context, dialer } = fakeFlow()
  dialer.failure = new HawserError('tunnel_timeout', 'silent')
  await target(context)
  await route(context)
  await assert.rejects(async () => dial(context), hasCode('destination_unavailable'))
  assert.equal(dialer.targets.length, 1)
})

test('dial: a failure of the target is not tried elsewhere', async () => {
  const { context, dialer } = fakeFlow()
  dialer.failure = new HawserError('connection_refused', 'no')
  await target(context)
  await route(context)
  await assert.rejects(async () => dial(context), hasCode('connection_refused'))
  assert.equal(dialer.targets.length, 1)
})

test('dial: a dialer that never answers is given up', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { context, dialer } = fakeFlow()
  dialer.gate = new Promise(() => {})
  await target(context)
  await route(context)
  const dialling = dial(context)
  for (let time = 0; time < 4; time += 1) t.mock.timers.tick(750)
  await assert.rejects(async () => dialling, hasCode('connection_timeout'))
})

/** Dialers of three connectors, two connections of the first; picked in order, other connectors first. */
function replicas(): { all: FakeDialer[]; pick: TunnelRoutes } {
  const all = ['a', 'a', 'b', 'c'].map((id) => Object.assign(new FakeDialer(), { connector: { id } }))
  const pick = (_id: string, except?: ReadonlySet<Dialer>): FakeDialer | undefined => {
    const tried = new Set(all.filter((dialer) => except?.has(dialer)).map(({ connector }) => connector.id))
    const left = all.filter((dialer) => except?.has(dialer) !== true)
    return left.find(({ connector }) => !tried.has(connector.id)) ?? left[0]
  }
  return { all, pick: { pick, explain: () => Promise.reject(new Error('unused')) } }
}

test('dial: a target that one connector does not reach is tried through others, each once', async () => {
  const { all, pick } = replicas()
  const { context, flow } = fakeFlow({ services: { tunnels: pick } })
  for (const dialer of all.slice(0, 3)) dialer.failure = new HawserError('connection_refused', 'no')
  await target(context)
  await route(context)
  await dial(context)
  assert.deepEqual(
    all.map(({ targets }) => targets.length),
    [1, 0, 1, 1],
  )
  assert.equal(flow.route?.connectorId, 'c')
  assert.equal(context.dialer, all[3])
})

test('dial: what no connector reaches fails as the target did, whatever became of the tunnels', async () => {
  const { all, pick } = replicas()
  const { context } = fakeFlow({ services: { tunnels: pick } })
  for (const dialer of all) dialer.failure = new HawserError('tunnel_closed', 'gone')
  if (all[2] !== undefined) all[2].failure = new HawserError('dns_error', 'unknown here')
  await target(context)
  await route(context)
  await assert.rejects(async () => dial(context), hasCode('dns_error'))
  assert.deepEqual(
    all.map(({ targets }) => targets.length),
    [1, 1, 1, 1],
  )
})

test('dial: a refusal by a rule, and a wait that was long already, are final', async () => {
  for (const code of ['destination_ip_prohibited', 'connection_timeout'] as const) {
    const { all, pick } = replicas()
    const { context } = fakeFlow({ services: { tunnels: pick } })
    for (const dialer of all) dialer.failure = new HawserError(code, 'no')
    await target(context)
    await route(context)
    await assert.rejects(async () => dial(context), hasCode(code))
    assert.equal(all.flatMap(({ targets }) => targets).length, 1)
  }
})

test('dial: a silent connector is left for another one, and what it opens late is released', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { all, pick } = replicas()
  const { context } = fakeFlow({ services: { tunnels: pick } })
  const [silent] = all
  assert.ok(silent)
  const late = Promise.withResolvers<void>()
  silent.gate = late.promise
  Object.assign(silent, { answers: () => Promise.resolve(false) })
  await target(context)
  await route(context)
  const dialling = dial(context)
  t.mock.timers.tick(750)
  await dialling
  assert.equal(context.dialer, all[2])
  late.resolve()
  while (silent.streams.length === 0) await new Promise(setImmediate)
  assert.equal(silent.streams[0]?.destroyed, true)
  context.dialed?.stream.destroy()
})

test('dial: a silent connector is left as soon as another one has come', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { all, pick } = replicas()
  const [silent] = all
  assert.ok(silent)
  let others = false
  const tunnels: TunnelRoutes = {
    ...pick,
    pick: (id, except) => (except === undefined ? silent : others ? pick.pick(id, except) : undefined),
  }
  const { context } = fakeFlow({ services: { tunnels } })
  silent.gate = new Promise(() => {})
  Object.assign(silent, { answers: () => Promise.resolve(false) })
  await target(context)
  await route(context)
  const dialling = dial(context)
  t.mock.timers.tick(750)
  await new Promise(setImmediate)
  others = true
  t.mock.timers.tick(750)
  await dialling
  assert.equal(context.dialer, all[2])
  context.dialed?.stream.destroy()
  context.abort(new HawserError('connection_aborted', 'over')) // ends the dial that was left
})

test('dial: a connector that is alive, or has no other beside it, is waited for', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  for (const alive of [true, false]) {
    const { context, dialer } = fakeFlow()
    const gate = Promise.withResolvers<void>()
    dialer.gate = gate.promise
    Object.assign(dialer, { answers: () => Promise.resolve(alive) })
    await target(context)
    await route(context)
    const dialling = dial(context)
    t.mock.timers.tick(750)
    await new Promise(setImmediate)
    gate.resolve()
    await dialling
    assert.equal(dialer.targets.length, 1)
    context.dialed?.stream.destroy()
  }
})
