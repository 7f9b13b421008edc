import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HawserError } from '@hawser/core'
import { InvocationLimiter } from './invocation-limiter.ts'

const never = (): AbortSignal => new AbortController().signal

test('invocation limiter: places up to the limit are had at once, the next is waited for', async () => {
  const limiter = new InvocationLimiter()
  assert.equal(limiter.enter('shop', 'a', 2, never), undefined)
  assert.equal(limiter.enter('shop', 'a', 2, never), undefined)
  const third = limiter.enter('shop', 'a', 2, never)
  assert.ok(third instanceof Promise)
  limiter.leave('shop', 'a')
  await third
  limiter.leave('shop', 'a')
  limiter.leave('shop', 'a')
  assert.equal(limiter.size, 0)
})

test('invocation limiter: one that was given up is passed over, and has had no place', async () => {
  const limiter = new InvocationLimiter()
  void limiter.enter('shop', 'a', 1, never)
  const controller = new AbortController()
  const second = limiter.enter('shop', 'a', 1, () => controller.signal)
  const third = limiter.enter('shop', 'a', 1, never)
  const reason = new HawserError('connection_aborted', 'enough')
  controller.abort(reason)
  await assert.rejects(async () => second, reason)
  limiter.leave('shop', 'a')
  await third
  limiter.leave('shop', 'a')
  assert.equal(limiter.size, 0)
})

test('invocation limiter: a wait that is given up before it began takes no place in the queue', async () => {
  const limiter = new InvocationLimiter(1)
  void limiter.enter('shop', 'a', 1, never)
  await assert.rejects(async () => limiter.enter('shop', 'a', 1, () => AbortSignal.abort()), {
    code: 'connection_aborted',
  })
  void limiter.enter('shop', 'a', 1, never) // there is room for one
})

test('invocation limiter: so many of one Worker may wait, whatever others do', () => {
  const limiter = new InvocationLimiter(2)
  for (const worker of ['shop', 'blog']) {
    for (const invocation of ['a', 'b']) {
      void limiter.enter(worker, invocation, 1, never)
      void limiter.enter(worker, invocation, 1, never)
    }
    assert.throws(() => limiter.enter(worker, 'a', 1, never), { code: 'connection_limit_reached' })
  }
})

test('invocation limiter: never more than the limit, and in order, whatever happens', async () => {
  const step = fc.oneof(fc.constant('enter' as const), fc.constant('leave' as const), fc.nat(4))
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 40 }), async (limit, steps) => {
      const limiter = new InvocationLimiter()
      const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
      let open = 0
      const entered: number[] = []
      const waiting = new Map<number, AbortController>()
      let next = 0
      for (const action of steps) {
        if (action === 'enter') {
          const number = (next += 1)
          const controller = new AbortController()
          const wait = limiter.enter('shop', 'a', limit, () => controller.signal)
          const have = (): void => {
            open += 1
            waiting.delete(number)
            entered.push(number)
          }
          if (wait === undefined) have()
          else {
            waiting.set(number, controller)
            wait.then(have, () => waiting.delete(number))
          }
        } else if (action === 'leave') {
          if (open > 0) {
            open -= 1
            limiter.leave('shop', 'a')
          }
        } else [...waiting.values()][action]?.abort(new Error('enough'))
        await turn()
        assert.ok(open <= limit)
        assert.ok(waiting.size === 0 || open === limit, 'nobody waits while there is a place')
      }
      assert.deepEqual(
        entered,
        entered.toSorted((a, b) => a - b),
      )
      while (open > 0) {
        open -= 1
        limiter.leave('shop', 'a')
        await turn()
      }
      assert.equal(limiter.size, 0)
    }),
    { numRuns: 60 },
  )
})
