import assert from 'node:assert/strict'
import test from 'node:test'
import { HawserError } from '@hawser/core'
import { CapturedLog } from '@hawser/testkit'
import { EdgeLink } from './edge-link.ts'
import { EdgeSpread } from './edge-spread.ts'
import { FakeClock } from './fake-clock.ts'
import { FakeEdges } from './fake-tunnel.ts'
import type { FakeTunnel } from './fake-tunnel.ts'
import { StatusFeed } from './status.ts'

const down = new HawserError('edge_unreachable', 'nobody there')
const TEST = { timeout: 10_000 }

interface Bench {
  readonly clock: FakeClock
  readonly log: CapturedLog
  readonly feed: StatusFeed
  readonly spread: EdgeSpread
  readonly link: EdgeLink
  /** The n-th connection that was opened, counted from 1. */
  readonly tunnel: (n: number) => Promise<FakeTunnel>
}

/** A link whose home is `a`, and which knows the other hosts too. */
function bench(edges: FakeEdges, ...hosts: string[]): Bench {
  const clock = new FakeClock()
  clock.chance = 1
  const log = new CapturedLog()
  const feed = new StatusFeed()
  const spread = new EdgeSpread(hosts.map((host) => ({ host, port: 1 })))
  const open = (edge: (typeof spread.edges)[0]['address'], signal: AbortSignal): Promise<FakeTunnel> =>
    edges.connectTunnel({ edge, signal } as never) as Promise<FakeTunnel>
  const link = new EdgeLink({ spread, connection: 0, open, clock, feed, logger: log, onChange: () => {} })
  link.start()
  const tunnel = async (n: number): Promise<FakeTunnel> => {
    for (;;) {
      const found = edges.opened[n - 1]
      await new Promise(setImmediate)
      if (found !== undefined) return found
    }
  }
  return { clock, log, feed, spread, link, tunnel }
}

test('an edge that is down is left for another one, and taken back once it answers', TEST, async () => {
  const edges = new FakeEdges({ 'a:1': [down, down, 'accept'] })
  const { clock, feed, spread, link, tunnel } = bench(edges, 'a', 'b')
  await clock.waiting()
  clock.advance(250)
  const away = await tunnel(1)
  assert.equal(away.edgeId, 'id-of-b:1')
  assert.deepEqual(
    spread.edges.map(({ links }) => links),
    [0, 1],
  )
  await clock.waiting()
  clock.advance(250) // still down
  await clock.waiting()
  clock.advance(500)
  const home = await tunnel(2)
  assert.equal(home.edgeId, 'id-of-a:1')
  assert.deepEqual(away.calls, ['drain'], 'only now, and what runs through it may finish')
  assert.deepEqual(
    spread.edges.map(({ links, failure }) => [links, failure]),
    [
      [1, undefined],
      [0, undefined],
    ],
  )
  assert.deepEqual(
    feed.present().map((status) => 'edge' in status && [status.type, status.edge]),
    [['connected', 'a:1']],
  )
  await link.close(0)
})

test('an edge that is about to go is replaced before it goes', TEST, async () => {
  const edges = new FakeEdges({ 'a:1': ['accept', down, 'accept'] })
  const { clock, log, link, tunnel } = bench(edges, 'a', 'b')
  const old = await tunnel(1)
  old.activeStreams = 2
  old.leave()
  await clock.waiting()
  clock.advance(250)
  const next = await tunnel(2)
  assert.equal(next.edgeId, 'id-of-b:1')
  next.activeStreams = 1
  assert.deepEqual(old.calls, [], 'it is the edge that ends it')
  assert.equal(link.activeStreams, 3)
  old.end()
  await new Promise(setImmediate)
  assert.equal(link.activeStreams, 1)
  assert.deepEqual([...log.at('warn'), ...log.at('error')], [])
  await link.close(0)
})

test(
  'the only edge is tried again when it says that it is about to go, and the old connection kept meanwhile',
  TEST,
  async () => {
    const edges = new FakeEdges({ 'a:1': ['accept', down, 'accept'] })
    const { clock, feed, link, tunnel } = bench(edges, 'a')
    const old = await tunnel(1)
    old.leave()
    await clock.waiting()
    clock.advance(250)
    await clock.waiting()
    assert.deepEqual(
      feed.present().map(({ type }) => type),
      ['connected'],
      'a connection stands as long as the old one',
    )
    old.end()
    clock.advance(1_000)
    await tunnel(2)
    await link.close(0)
  },
)

test('a connection away that ends is followed by the next edge, not by two', TEST, async () => {
  const edges = new FakeEdges({ 'a:1': [down] })
  const { clock, link, tunnel } = bench(edges, 'a', 'b', 'c')
  await clock.waiting()
  clock.advance(250)
  const away = await tunnel(1)
  away.end(new HawserError('tunnel_closed', 'gone'))
  await new Promise(setImmediate)
  clock.advance(2_000)
  await tunnel(2)
  assert.equal(edges.opened.length, 2)
  await link.close(0)
})

test('a close ends the connections that are being left too', TEST, async () => {
  const edges = new FakeEdges()
  const { clock, link, tunnel } = bench(edges, 'a', 'b')
  const old = await tunnel(1)
  old.leave()
  await clock.waiting()
  clock.advance(250)
  const next = await tunnel(2)
  await link.close(1_234)
  assert.deepEqual([old.calls, next.calls], [['close 1234'], ['close 1234']])
})

test('a close while home is tried leaves nothing behind', TEST, async () => {
  const edges = new FakeEdges({ 'a:1': [down, 'hang'] })
  const { clock, link, tunnel } = bench(edges, 'a', 'b')
  await clock.waiting()
  clock.advance(250)
  await tunnel(1)
  await clock.waiting()
  clock.advance(250)
  await link.close(0)
  assert.equal(edges.opened.length, 1)
})
