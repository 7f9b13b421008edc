import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connect } from './socket.ts'
import { Order, Trial } from './trial.ts'
import type { Surroundings } from './trial.ts'

const PLACE = { id: '7', host: '127.0.0.1', port: 99 }

function surroundings(asked: unknown[][] = [], answer: unknown = null): Surroundings {
  const connect: Connect = () => {
    throw new Error('not in this test')
  }
  return {
    connect,
    bindingConnect: undefined,
    ask: (path, body) => {
      asked.push([path, body])
      return Promise.resolve(answer)
    },
    moduleScopeError: undefined,
    watchUnhandled: () => ({ messages: [], stop: () => {} }),
    waitUntil: () => {},
  }
}

test('pending() passes for a promise that does not settle, after round trips to the peer', async () => {
  const asked: unknown[][] = []
  await new Trial('S-001', PLACE, surroundings(asked), false).pending(new Promise(() => {}), 'nothing')
  assert.ok(asked.length >= 3)
  assert.deepEqual(asked[0], ['/peers/7/ping', {}])
})

test('pending() fails for one that has settled, and says how', async () => {
  const t = new Trial('S-001', PLACE, surroundings(), false)
  await assert.rejects(t.pending(Promise.resolve(5), 'closed'), {
    message: 'closed: resolved with 5, expected it to be pending',
  })
  await assert.rejects(t.pending(Promise.reject(new Error('no')), 'closed'), {
    message: 'closed: rejected with Error: no, expected it to be pending',
  })
})

test('invoke() names the behaviour and the act, and gives what it returned or why it failed', async () => {
  const asked: unknown[][] = []
  const t = new Trial('S-182', PLACE, surroundings(asked, { value: 'done' }), false)
  assert.equal(await t.invoke('keep', 5), 'done')
  assert.deepEqual(asked, [['/invoke', { id: 'S-182', place: PLACE, act: 'keep', value: 5 }]])
  const failing = new Trial('S-182', PLACE, surroundings([], { failure: 'got 1' }), false)
  await assert.rejects(failing.invoke('keep'), { message: 'the act keep: got 1' })
})

test('a behaviour run over a binding cannot reach the global connect()', () => {
  assert.throws(() => new Trial('S-001', PLACE, surroundings(), true).connect, /may only use t\.open/)
})

test('Order keeps the order in which promises settle, rejections marked', async () => {
  const order = new Order()
  const late = new Promise((resolve) => setTimeout(resolve, 5))
  await Promise.all([order.note('late', late), order.note('bad', Promise.reject(new Error('x')))])
  assert.deepEqual(order.events, ['bad!', 'late'])
})
