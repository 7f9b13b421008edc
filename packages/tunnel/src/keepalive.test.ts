import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { Keepalive } from './keepalive.ts'

interface Watched {
  readonly keepalive: Keepalive
  readonly sent: number[]
  readonly roundTrips: number[]
  received: number
  dead: number
  /** Lets time pass, and the turn in which lateness is judged. */
  pass(milliseconds: number): Promise<void>
}

function watch(t: TestContext): Watched {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const watched: Watched = {
    sent: [],
    roundTrips: [],
    received: 0,
    dead: 0,
    keepalive: new Keepalive({
      intervalMs: 5_000,
      timeoutMs: 4_500,
      sendPing: (id) => watched.sent.push(id),
      received: () => watched.received,
      onRoundTrip: (milliseconds) => watched.roundTrips.push(milliseconds),
      onDead: () => (watched.dead += 1),
    }),
    pass: async (milliseconds) => {
      t.mock.timers.tick(milliseconds)
      await new Promise(setImmediate)
      await new Promise(setImmediate)
    },
  }
  t.after(() => watched.keepalive.stop(new Error('the test is over')))
  return watched
}

describe('Keepalive', () => {
  test('pings at once, and then every interval', async (t) => {
    const watched = watch(t)
    watched.keepalive.start()
    assert.deepEqual(watched.sent, [0])
    for (let round = 1; round < 4; round += 1) {
      watched.keepalive.onAnswer(round - 1)
      watched.received += 12
      await watched.pass(4_500)
      assert.equal(watched.sent.length, round)
      await watched.pass(500)
      assert.deepEqual(watched.sent.at(-1), round)
    }
    assert.equal(watched.dead, 0)
    assert.equal(watched.roundTrips.length, 3)
  })

  test('a peer that falls silent is dead within ten seconds', async (t) => {
    const watched = watch(t)
    watched.keepalive.start()
    watched.received += 12
    await watched.pass(4_500)
    await watched.pass(500)
    await watched.pass(4_499)
    assert.equal(watched.dead, 0)
    await watched.pass(1)
    assert.equal(watched.dead, 1)
    await watched.pass(60_000)
    assert.equal(watched.dead, 1)
    assert.equal(watched.sent.length, 2)
  })

  test('any byte is a sign of life, even without an answer to the ping', async (t) => {
    const watched = watch(t)
    watched.keepalive.start()
    for (let round = 0; round < 5; round += 1) {
      watched.received += 1
      await watched.pass(4_500)
      await watched.pass(500)
    }
    assert.equal(watched.dead, 0)
  })

  test('bytes that were waiting while this process stood still count', async (t) => {
    const watched = watch(t)
    watched.keepalive.start()
    t.mock.timers.tick(60_000) // the timer is late ...
    watched.received += 12 // ... and what had arrived is read in the same turn
    await watched.pass(0)
    assert.equal(watched.dead, 0)
  })

  test('ping resolves with the round trip, whichever answer comes first', async (t) => {
    const { keepalive, sent } = watch(t)
    const first = keepalive.ping()
    const second = keepalive.ping()
    assert.deepEqual(sent, [0, 1])
    keepalive.onAnswer(1)
    keepalive.onAnswer(1)
    keepalive.onAnswer(99)
    assert.ok((await second) >= 0)
    keepalive.onAnswer(0)
    assert.ok((await first) >= 0)
  })

  test('pings that wait for ever are limited', async (t) => {
    const { keepalive } = watch(t)
    const waiting = Array.from({ length: 64 }, () => keepalive.ping())
    await assert.rejects(keepalive.ping(), /64 pings/)
    keepalive.stop(new Error('over'))
    for (const ping of waiting) await assert.rejects(ping, /over/)
  })

  test('stop ends it for good', async (t) => {
    const watched = watch(t)
    watched.keepalive.start()
    watched.keepalive.stop(new Error('over'))
    watched.keepalive.start()
    await watched.pass(60_000)
    assert.equal(watched.sent.length, 1)
    assert.equal(watched.dead, 0)
    await assert.rejects(watched.keepalive.ping(), /has ended/)
  })
})
