import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import test from 'node:test'
import { HawserError, Secret } from '@hawser/core'
import type { DialTarget } from '@hawser/core'
import { CapturedLog } from '@hawser/testkit'
import type { TargetDialer } from './dial-target.ts'
import { RunningConnector } from './connector.ts'
import { FakeClock } from './fake-clock.ts'
import { FakeEdges } from './fake-tunnel.ts'
import type { ConnectorStatus } from './status.ts'

const rejected = new HawserError('tunnel_auth_failed', 'the edge does not know this tunnel')
const unreachable = new HawserError('edge_unreachable', 'nobody there')
const target: DialTarget = { host: '10.0.0.1', port: 80, flowId: 'f1', timeoutMs: 1000 }

interface Bench {
  readonly connector: RunningConnector
  readonly clock: FakeClock
  readonly log: CapturedLog
}

function bench(edges: FakeEdges, hosts: readonly string[] = ['a'], dialer?: TargetDialer, connections?: number): Bench {
  const clock = new FakeClock()
  clock.chance = 1
  const log = new CapturedLog()
  const connector = new RunningConnector(
    {
      token: { accountId: 'acc', tunnelId: 'tun', secret: new Secret('s'), edges: [], caPem: '' },
      edges: hosts.map((host) => ({ host, port: 1 })),
      rules: () => undefined,
      connections: connections ?? hosts.length,
      weight: 100,
    },
    log,
    { connectTunnel: edges.connectTunnel, clock, ...(dialer === undefined ? {} : { dialer }) },
  )
  connector.start()
  return { connector, clock, log }
}

test('one connection to each edge; ready with the first', async () => {
  const edges = new FakeEdges({ 'b:1': ['hang'] })
  const { connector } = bench(edges, ['a', 'b'])
  await connector.ready
  assert.deepEqual(edges.attempts.toSorted(), ['a:1', 'b:1'])
  await connector.close(0)
  assert.equal(await connector.closed, undefined)
})

for (const [hosts, expected] of [
  [['a'], ['a:1', 'a:1', 'a:1', 'a:1']],
  [
    ['a', 'b', 'c'],
    ['a:1', 'a:1', 'b:1', 'c:1'],
  ],
  [
    ['a', 'b', 'c', 'd', 'e'],
    ['a:1', 'b:1', 'c:1', 'd:1'],
  ],
] as const) {
  test(`four connections are spread over as many of ${hosts.length} edges as there are`, async () => {
    const edges = new FakeEdges()
    const { connector } = bench(edges, hosts, undefined, 4)
    await connector.ready
    assert.deepEqual(edges.attempts.toSorted(), expected)
    await connector.close(0)
  })
}

test('four connections that one edge rejects are one error, and the end', async () => {
  const { connector, log } = bench(new FakeEdges({ 'a:1': [rejected] }), ['a'], undefined, 4)
  assert.equal(await connector.closed, rejected)
  assert.equal(log.at('error').length, 1)
})

test('the edge is told who is calling', async () => {
  const edges = new FakeEdges()
  const { connector } = bench(edges)
  await connector.ready
  const info = edges.last?.connector
  assert.equal(info?.id, connector.id)
  assert.match(connector.id, /^[0-9a-f-]{36}$/)
  assert.match(info?.version ?? '', /^\d+\.\d+\.\d+$/)
  assert.equal(info?.platform, `${process.platform}-${process.arch}`)
  await connector.close(0)
})

test('a token that the only edge never accepted ends the connector with that error', async () => {
  const { connector, log } = bench(new FakeEdges({ 'a:1': [rejected] }))
  assert.equal(await connector.closed, rejected)
  await assert.rejects(connector.ready, rejected)
  assert.equal(log.at('error').length, 1)
})

test('one edge that rejects does not end it while another has not answered', async () => {
  const edges = new FakeEdges({ 'a:1': [rejected], 'b:1': [unreachable, rejected] })
  const { connector, clock } = bench(edges, ['a', 'b'])
  await clock.waiting(2)
  assert.deepEqual(edges.attempts, ['a:1', 'b:1'])
  clock.advance(10_000) // b answers now, and it rejects as well
  assert.equal(await connector.closed, rejected)
})

test('one edge that rejects does not end it while another accepts', async () => {
  const edges = new FakeEdges({ 'a:1': [rejected], 'b:1': ['accept'] })
  const { connector, clock } = bench(edges, ['a', 'b'])
  await connector.ready
  await clock.waiting()
  clock.advance(10_000)
  while (edges.opened.length < 2) await new Promise(setImmediate)
  assert.deepEqual(edges.attempts.slice(0, 3), ['a:1', 'b:1', 'b:1'])
  await connector.close(0)
  assert.equal(await connector.closed, undefined)
})

test('a token that was accepted once is never a reason to end', async () => {
  const edges = new FakeEdges({ 'a:1': ['accept', rejected, rejected, 'accept'] })
  const { connector, clock, log } = bench(edges)
  await connector.ready
  edges.opened[0]?.end(rejected)
  for (let n = 0; n < 3; n += 1) {
    await clock.waiting()
    clock.advance(10_000)
  }
  while (edges.opened.length < 2) await new Promise(setImmediate)
  assert.equal(log.at('error').length, 1)
  await connector.close(0)
  assert.equal(await connector.closed, undefined)
})

test('a certificate that is not the one of the token is retried, not the end', async () => {
  const wrong = new HawserError('edge_certificate_error', 'not the pinned authority')
  const edges = new FakeEdges({ 'a:1': [wrong, wrong, 'accept'] })
  const { connector, clock } = bench(edges)
  for (let n = 0; n < 2; n += 1) {
    await clock.waiting()
    clock.advance(10_000)
  }
  await connector.ready
  await connector.close(0)
})

test('close drains every tunnel with the given grace and can be called twice', async () => {
  const edges = new FakeEdges()
  const { connector } = bench(edges, ['a', 'b'])
  await connector.ready
  await new Promise(setImmediate)
  const first = connector.close(1500)
  assert.equal(connector.close(99), first)
  await first
  for (const tunnel of edges.opened) assert.deepEqual(tunnel.calls, ['close 1500'])
  assert.equal(await connector.closed, undefined)
})

test('disposing is closing with the default grace of 30 s', async () => {
  const edges = new FakeEdges()
  const { connector } = bench(edges)
  await connector.ready
  await new Promise(setImmediate)
  await connector[Symbol.asyncDispose]()
  assert.deepEqual(edges.opened[0]?.calls, ['close 30000'])
})

test('drain waits for the flows without a limit, then closes', async () => {
  const edges = new FakeEdges()
  const { connector } = bench(edges)
  await connector.ready
  await new Promise(setImmediate)
  await connector.drain()
  assert.deepEqual(edges.opened[0]?.calls, ['drain', 'close 0'])
  assert.equal(await connector.closed, undefined)
})

test('abort ends everything with its reason, also while a close is waiting', async () => {
  const edges = new FakeEdges()
  const { connector } = bench(edges)
  await connector.ready
  await new Promise(setImmediate)
  const [tunnel] = edges.opened
  assert.ok(tunnel)
  tunnel.close = async (graceMs) => {
    tunnel.calls.push(`close ${graceMs}`)
    await tunnel.closed // flows are running, so it takes its time
  }
  const closing = connector.close(60_000)
  const reason = new HawserError('connection_aborted', 'second signal')
  connector.abort(reason)
  await closing
  assert.equal(await connector.closed, reason)
  assert.deepEqual(tunnel.calls, ['close 60000', 'abort connection_aborted'])
})

test('closing before any tunnel stood rejects ready with a code and leaves nothing running', async () => {
  const { connector } = bench(new FakeEdges({ 'a:1': ['hang'] }))
  await connector.close(0)
  await assert.rejects(connector.ready, { code: 'tunnel_closed' })
  assert.equal(await connector.closed, undefined)
})

test('status tells the whole story', async () => {
  const edges = new FakeEdges()
  const { connector } = bench(edges)
  const seen: ConnectorStatus[] = []
  const reading = (async () => {
    for await (const status of connector.status()) seen.push(status)
  })()
  await connector.ready
  await new Promise(setImmediate)
  await connector.close(0)
  await reading
  assert.deepEqual(
    seen.map(({ type }) => type),
    ['connecting', 'connected', 'draining', 'closed'],
  )
})

test('a dial goes to the dialer and comes back', async (t) => {
  const edges = new FakeEdges()
  const stream = new PassThrough()
  const { connector, log } = bench(edges, ['a'], async () => ({ stream, socket: stream, remoteAddress: '10.0.0.1:80' }))
  await connector.ready
  const dialed = await edges.last?.dial(target, t.signal)
  assert.deepEqual(dialed, { stream, socket: stream, remoteAddress: '10.0.0.1:80' })
  assert.partialDeepStrictEqual(log.at('debug'), [{ fields: { flowId: 'f1', host: '10.0.0.1', port: 80 } }])
  await connector.close(0)
})

test('a failed dial passes its error on and is logged with the flow', async (t) => {
  const edges = new FakeEdges()
  const failure = new HawserError('connection_refused', 'no')
  const { connector, log } = bench(edges, ['a'], () => Promise.reject(failure))
  await connector.ready
  await assert.rejects(edges.last?.dial(target, t.signal) ?? Promise.resolve(), failure)
  assert.partialDeepStrictEqual(log.at('debug'), [{ fields: { flowId: 'f1', code: 'connection_refused' } }])
  await connector.close(0)
})

test('no dial is taken once it drains', async (t) => {
  const edges = new FakeEdges()
  const { connector } = bench(edges, ['a'], () => assert.fail('dialled'))
  await connector.ready
  await connector.close(0)
  await assert.rejects(edges.last?.dial(target, t.signal) ?? Promise.resolve(), { code: 'tunnel_closed' })
})

test('the streams of all tunnels are counted', async () => {
  const edges = new FakeEdges()
  const { connector } = bench(edges, ['a', 'b'])
  await connector.ready
  await new Promise(setImmediate)
  for (const tunnel of edges.opened) tunnel.activeStreams = 3
  assert.equal(connector.activeStreams, 6)
  await connector.close(0)
})

test('no line of the log holds the secret', async () => {
  const edges = new FakeEdges({ 'a:1': [unreachable, 'accept'] })
  const { connector, clock, log } = bench(edges)
  await clock.waiting()
  clock.advance(10_000)
  await connector.ready
  await connector.close(0)
  assert.doesNotMatch(JSON.stringify(log.lines), /"s"/)
})

test('every edge is told how many connections stand, once each time', async () => {
  const edges = new FakeEdges({ 'b:1': [unreachable, 'accept'] })
  const { connector, clock } = bench(edges, ['a', 'b'])
  await connector.ready
  await clock.waiting()
  const [first] = edges.opened
  const up = (count: number): object => ({ connections: { up: count, of: 2 }, configuration: 0, targets: [] })
  assert.deepEqual(first?.reports, [up(1)])
  clock.advance(10_000)
  while (edges.opened.length < 2) await new Promise(setImmediate)
  await new Promise(setImmediate)
  assert.deepEqual(first?.reports, [up(1), up(2)])
  assert.deepEqual(edges.opened[1]?.reports, [up(2)])
  edges.opened[1]?.end(unreachable)
  await clock.waiting()
  assert.deepEqual(first?.reports.at(-1), up(1))
  await connector.close(0)
})

test('what the edge configures holds for dials, and the edges are told', async (t) => {
  const edges = new FakeEdges()
  const { connector } = bench(edges, ['a'], () => Promise.reject(new HawserError('connection_refused', 'no')), 2)
  await connector.ready
  await new Promise(setImmediate)
  const probe = { type: 'tcp', host: 'db', port: 1, path: '/', intervalMs: 1_000, timeoutMs: 1_000 } as const
  edges.last?.onConfigure?.({ version: 4, settings: { allow: [], deny: [], probes: [probe] } })
  for (const { reports } of edges.opened) assert.equal(reports.at(-1)?.configuration, 4)
  assert.throws(() => edges.last?.onConfigure?.({ version: 5, settings: { allow: ['x'], deny: [], probes: [] } }), {
    code: 'options_invalid',
  })
  await connector.close(0)
  edges.last?.onConfigure?.({ version: 6, settings: { allow: [], deny: [], probes: [probe] } })
  await assert.rejects(edges.last?.dial(target, t.signal) ?? Promise.resolve(), { code: 'tunnel_closed' })
})
