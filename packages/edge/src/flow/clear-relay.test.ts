import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { assertNoLeaks, memoryPair, tcpPair } from '@hawser/testkit'
import type { Pair } from '@hawser/testkit'
import { ClearRelay } from './clear-relay.ts'

const TIMEOUT = { timeout: 10_000 }
const LARGE = 4 * 1024 * 1024
const TRANSPORTS = { TCP: tcpPair, memory: memoryPair } as const

/** A relay and the four ends around it. */
class Rig implements Disposable {
  readonly worker: Duplex
  readonly target: Duplex
  /** The near end of the target: what is taken over. */
  readonly near: Duplex
  readonly edge: Duplex
  readonly relay: ClearRelay
  readonly moved = { forward: 0, backward: 0 }
  readonly controller = new AbortController()

  private constructor([worker, edge]: Pair, [near, target]: Pair) {
    this.worker = worker
    this.edge = edge
    this.near = near
    this.target = target
    for (const stream of [worker, edge, near, target]) stream.on('error', () => {})
    this.relay = new ClearRelay(edge, near, this.moved, this.controller.signal)
  }

  static async open(pair: () => Pair | Promise<Pair>): Promise<Rig> {
    return new Rig(await pair(), await pair())
  }

  [Symbol.dispose](): void {
    for (const stream of [this.worker, this.edge, this.near, this.target]) stream.destroy()
  }
}

function turns(count = 20): Promise<void> {
  return count === 0 ? Promise.resolve() : new Promise<void>(setImmediate).then(() => turns(count - 1))
}

for (const [name, pair] of Object.entries(TRANSPORTS)) {
  test(`clear relay: without a stop it is a splice, over ${name}`, TIMEOUT, async (t) => {
    assertNoLeaks(t)
    using rig = await Rig.open(pair)
    const running = rig.relay.run()
    rig.worker.end('question')
    assert.equal(await text(rig.target), 'question')
    rig.target.end('answer')
    assert.equal(await text(rig.worker), 'answer')
    assert.equal(await running, 'ended')
    assert.deepEqual(rig.moved, { forward: 8, backward: 6 })
  })

  test(`clear relay: megabytes both ways, with a slow reader, arrive whole, over ${name}`, TIMEOUT, async (t) => {
    assertNoLeaks(t)
    using rig = await Rig.open(pair)
    const running = rig.relay.run()
    rig.target.pipe(rig.target)
    rig.worker.end(Buffer.alloc(LARGE, 'x'))
    let received = 0
    rig.worker.on('data', (chunk: Buffer) => {
      received += chunk.length
      rig.worker.pause()
      setImmediate(() => rig.worker.resume())
    })
    await once(rig.worker, 'end')
    assert.equal(await running, 'ended')
    assert.equal(received, LARGE)
  })

  test(`clear relay: a stop ends the Worker's reading and keeps what comes after, over ${name}`, TIMEOUT, async (t) => {
    assertNoLeaks(t)
    using rig = await Rig.open(pair)
    const running = rig.relay.run()
    rig.target.write('before')
    await once(rig.worker, 'readable')
    assert.equal(rig.relay.stop(), true)
    rig.target.write('after')
    assert.equal(await text(rig.worker), 'before')
    rig.worker.end('the last in clear')
    assert.equal(await running, 'upgrade')
    assert.equal((await once(rig.target, 'data')).toString(), 'the last in clear')
    assert.equal(rig.near.writableEnded, false)
    assert.equal((await once(rig.near.resume(), 'data')).toString(), 'after')
    assert.deepEqual(rig.moved, { forward: 17, backward: 6 })
    assert.equal(
      rig.near.listenerCount('end') + rig.near.listenerCount('drain'),
      rig.target.listenerCount('end') + rig.target.listenerCount('drain'),
    )
  })
}

test('clear relay: a stop does not resume a target that had to wait for the Worker', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using rig = await Rig.open(tcpPair)
  const running = rig.relay.run()
  rig.target.write(Buffer.alloc(LARGE * 4, 'x'))
  while (!rig.near.isPaused()) await turns(1)
  assert.equal(rig.relay.stop(), true)
  const { backward } = rig.moved
  assert.equal((await text(rig.worker)).length, backward)
  rig.worker.end()
  assert.equal(await running, 'upgrade')
  assert.equal(rig.moved.backward, backward)
})

test(
  'clear relay: after the Worker has ended it is too late for a stop, and a second one is one too many',
  TIMEOUT,
  async (t) => {
    assertNoLeaks(t)
    using rig = await Rig.open(tcpPair)
    assert.equal(rig.relay.stop(), false)
    const running = rig.relay.run()
    rig.worker.end()
    await once(rig.target.resume(), 'end')
    assert.equal(rig.relay.stop(), false)
    rig.target.end()
    rig.worker.resume()
    assert.equal(await running, 'ended')
    using other = await Rig.open(tcpPair)
    const upgrading = other.relay.run()
    assert.deepEqual([other.relay.stop(), other.relay.stop()], [true, false])
    other.worker.end()
    assert.equal(await upgrading, 'upgrade')
  },
)

test('clear relay: a target that has ended can still be taken over', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using rig = await Rig.open(tcpPair)
  const running = rig.relay.run()
  rig.target.end()
  await once(rig.worker.resume(), 'end')
  assert.equal(rig.relay.stop(), true)
  rig.worker.end()
  assert.equal(await running, 'upgrade')
})

test('clear relay: a reset of either end resets the other, before and after a stop', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  for (const stopped of [false, true]) {
    for (const which of ['worker', 'target'] as const) {
      using rig = await Rig.open(tcpPair)
      const running = rig.relay.run()
      running.catch(() => {})
      if (stopped) {
        rig.relay.stop()
        await once(rig.worker.resume(), 'end')
      }
      const other = rig[which === 'worker' ? 'target' : 'worker']
      const failed = once(other.resume(), 'error')
      ;(rig[which] as unknown as { resetAndDestroy(): void }).resetAndDestroy()
      await assert.rejects(running, { code: 'ECONNRESET' })
      // Node does not read beyond an end, and so notices only when it writes.
      while (!other.destroyed) {
        other.write('x')
        await turns(1)
      }
      await failed
    }
  }
})

test('clear relay: an abort resets both, before it begins and meanwhile', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  for (const early of [true, false]) {
    using rig = await Rig.open(tcpPair)
    if (early) rig.controller.abort(new Error('enough'))
    const running = rig.relay.run()
    rig.controller.abort(new Error('enough'))
    await assert.rejects(running, /enough/)
    assert.deepEqual([rig.edge.destroyed, rig.near.destroyed], [true, true])
  }
})

test('clear relay: a stream that is gone before it begins is an error', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using rig = await Rig.open(memoryPair)
  rig.near.destroy()
  await assert.rejects(rig.relay.run(), /closed before it was relayed/)
})
