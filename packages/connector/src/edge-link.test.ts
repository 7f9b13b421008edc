import assert from 'node:assert/strict'
import test from 'node:test'
import { HawserError } from '@hawser/core'
import type { ErrorCode } from '@hawser/core'
import { CapturedLog } from '@hawser/testkit'
import { EdgeLink } from './edge-link.ts'
import { EdgeSpread } from './edge-spread.ts'
import { FakeClock } from './fake-clock.ts'
import { FakeTunnel } from './fake-tunnel.ts'
import { StatusFeed } from './status.ts'
import type { ConnectorStatus } from './status.ts'

interface Bench {
  readonly link: EdgeLink
  readonly clock: FakeClock
  readonly log: CapturedLog
  /** Tunnels that were opened, in order. */
  readonly tunnels: FakeTunnel[]
  /** Resolves with the tunnel of the n-th success, counted from 1. */
  readonly tunnel: (n: number) => Promise<FakeTunnel>
  readonly seen: ConnectorStatus[]
}

/** A link whose attempts end as `script` says; after its end every attempt succeeds. */
function bench(...script: (ErrorCode | 'accept')[]): Bench {
  const clock = new FakeClock()
  clock.chance = 1
  const log = new CapturedLog()
  const feed = new StatusFeed()
  const tunnels: FakeTunnel[] = []
  const seen: ConnectorStatus[] = []
  let opened: () => void = () => {}
  const link = new EdgeLink({
    spread: new EdgeSpread([{ host: 'edge.example', port: 7844 }]),
    connection: 0,
    clock,
    feed,
    logger: log,
    onChange: () => {},
    open: async () => {
      const answer = script.shift() ?? 'accept'
      if (answer !== 'accept') throw new HawserError(answer, `${answer} said the edge`)
      const made = new FakeTunnel('edge-1')
      tunnels.push(made)
      queueMicrotask(() => opened())
      return made
    },
  })
  const tunnel = async (n: number): Promise<FakeTunnel> => {
    for (;;) {
      const found = tunnels[n - 1]
      if (found !== undefined) return found
      await new Promise<void>((resolve) => {
        opened = resolve
      })
    }
  }
  void (async () => {
    for await (const status of feed.follow()) seen.push(status)
  })()
  return { link, clock, log, tunnels, tunnel, seen }
}

test('failures are retried, each after a longer wait, until the edge accepts', async () => {
  const { link, clock, tunnel } = bench('edge_unreachable', 'edge_unreachable', 'tunnel_timeout')
  link.start()
  for (const ms of [250, 500, 1000]) {
    await clock.waiting()
    clock.advance(ms - 1)
    clock.advance(1)
  }
  await tunnel(1)
  assert.deepEqual(clock.waits, [250, 500, 1000])
  assert.equal(link.accepted, true)
  await link.close(0)
})

test('a wait is not cut short: nothing is tried before it is over', async () => {
  const { link, clock, tunnels, seen } = bench('edge_unreachable')
  link.start()
  await clock.waiting()
  clock.advance(249)
  await new Promise(setImmediate)
  assert.equal(tunnels.length, 0)
  assert.equal(seen.filter(({ type }) => type === 'connecting').length, 1)
  await link.close(0)
})

test('a connection that lived 30 s starts the waits anew; one that died at once does not', async () => {
  const { link, clock, tunnel } = bench()
  link.start()
  for (const [n, lived] of [10, 10, 30_000, 10].entries()) {
    const opened = await tunnel(n + 1)
    await new Promise(setImmediate)
    clock.advance(lived)
    opened.end(new HawserError('tunnel_closed', 'gone'))
    await clock.waiting()
    clock.advance(10_000)
  }
  await tunnel(5)
  assert.deepEqual(clock.waits, [250, 500, 250, 500])
  await link.close(0)
})

test('what happens is told as a series of changes', async () => {
  const { link, clock, tunnel, seen } = bench('edge_unreachable')
  link.start()
  await clock.waiting()
  clock.advance(250)
  const opened = await tunnel(1)
  opened.end()
  await clock.waiting()
  await link.close(0)
  await new Promise(setImmediate)
  const edge = 'edge.example:7844'
  const story = seen.map((status) => ('error' in status ? { ...status, error: status.error?.code } : status))
  assert.deepEqual(story, [
    { type: 'connecting', edge, connection: 0, attempt: 1 },
    { type: 'disconnected', edge, connection: 0, error: 'edge_unreachable', retryInMs: 250 },
    { type: 'connecting', edge, connection: 0, attempt: 2 },
    { type: 'connected', edge, connection: 0, edgeId: 'edge-1' },
    { type: 'disconnected', edge, connection: 0, error: undefined, retryInMs: 500 },
  ])
})

for (const code of ['tunnel_auth_failed', 'edge_certificate_error'] as const) {
  test(`${code} is logged once at error and retried slowly`, async () => {
    const { link, clock, log } = bench(code, code, code, code)
    clock.chance = 0
    link.start()
    for (let n = 0; n < 3; n += 1) {
      await clock.waiting()
      clock.advance(10_000)
    }
    await clock.waiting()
    assert.deepEqual(clock.waits, [5000, 5000, 5000, 5000])
    assert.equal(log.at('error').length, 1)
    assert.equal(log.at('error')[0]?.fields['code'], code)
    assert.equal(log.at('warn').length, 0)
    assert.equal(log.at('debug').length, 3)
    await link.close(0)
  })
}

test('an outage is one warning, however long; a new reason or a new outage is another', async () => {
  const { link, clock, log, tunnel } = bench(
    'edge_unreachable',
    'edge_unreachable',
    'tunnel_timeout',
    'accept',
    'edge_unreachable',
  )
  link.start()
  for (let n = 0; n < 3; n += 1) {
    await clock.waiting()
    clock.advance(10_000)
  }
  const opened = await tunnel(1)
  await new Promise(setImmediate)
  opened.end(new HawserError('tunnel_closed', 'gone'))
  await clock.waiting()
  clock.advance(10_000)
  await clock.waiting()
  const codes = log.at('warn').map(({ fields }) => fields['code'])
  assert.deepEqual(codes, ['edge_unreachable', 'tunnel_timeout', 'tunnel_closed', 'edge_unreachable'])
  assert.equal(log.at('info').length, 1, 'one line for the connection that stood')
  await link.close(0)
})

test('a token that is rejected after it was accepted is retried too', async () => {
  const { link, clock, tunnel, log } = bench('accept', 'tunnel_auth_failed', 'tunnel_auth_failed')
  link.start()
  const first = await tunnel(1)
  first.end(new HawserError('tunnel_auth_failed', 'revoked'))
  for (let n = 0; n < 3; n += 1) {
    await clock.waiting()
    clock.advance(10_000)
  }
  await tunnel(2)
  assert.equal(log.at('error').length, 1)
  await link.close(0)
})

test('close waits for the tunnel with the given grace and ends the loop', async () => {
  const { link, clock, tunnel } = bench()
  link.start()
  const opened = await tunnel(1)
  await new Promise(setImmediate)
  await link.close(1234)
  assert.deepEqual(opened.calls, ['close 1234'])
  assert.deepEqual(clock.waits, [])
})

test('close ends a wait for the next attempt', async () => {
  const { link, clock, tunnels } = bench('edge_unreachable')
  link.start()
  await clock.waiting()
  await link.close(0)
  assert.equal(tunnels.length, 0)
})

test('drain tells the tunnel, keeps it, and tries nothing new once it has ended', async () => {
  const { link, clock, tunnel, tunnels } = bench()
  link.start()
  const opened = await tunnel(1)
  await new Promise(setImmediate)
  await link.drain()
  assert.deepEqual(opened.calls, ['drain'])
  opened.end()
  await link.close(0)
  assert.deepEqual(clock.waits, [])
  assert.equal(tunnels.length, 1)
})

test('abort passes its reason on and ends the loop', async () => {
  const { link, tunnel, clock } = bench()
  link.start()
  const opened = await tunnel(1)
  await new Promise(setImmediate)
  link.abort(new HawserError('connection_aborted', 'enough'))
  await link.close(0)
  assert.equal(opened.calls[0], 'abort connection_aborted')
  assert.deepEqual(clock.waits, [])
})

test('a tunnel that stands only after the close is let go at once', async () => {
  const gate = Promise.withResolvers<FakeTunnel>()
  const link = new EdgeLink({
    spread: new EdgeSpread([{ host: 'edge.example', port: 1 }]),
    connection: 0,
    clock: new FakeClock(),
    feed: new StatusFeed(),
    logger: new CapturedLog(),
    onChange: () => {},
    open: () => gate.promise, // deaf to its signal
  })
  link.start()
  const closing = link.close(30_000)
  const late = new FakeTunnel('edge-1')
  gate.resolve(late)
  await closing
  assert.deepEqual(late.calls, ['close 0'])
  assert.equal(link.accepted, false)
})

test('the streams of the link are those of its tunnel', async () => {
  const { link, tunnel } = bench()
  assert.equal(link.activeStreams, 0)
  link.start()
  const opened = await tunnel(1)
  await new Promise(setImmediate)
  opened.activeStreams = 7
  assert.equal(link.activeStreams, 7)
  await link.close(0)
  assert.equal(link.activeStreams, 0)
})
