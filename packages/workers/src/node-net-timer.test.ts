/** The idle timeout of sockets in a Worker. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import fc from 'fast-check'
import { IdleTimer } from './runtime-node/idle-timer.ts'

function start(t: TestContext): {
  readonly timer: IdleTimer
  readonly fired: number[]
  readonly pass: (ms: number) => void
} {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const fired: number[] = []
  const timer = new IdleTimer(() => fired.push(Date.now()))
  return { timer, fired, pass: (ms) => t.mock.timers.tick(ms) }
}

test('it calls back once after the silence it was set to, and again only after something has happened', (t) => {
  const { timer, fired, pass } = start(t)
  timer.set(100)
  pass(99)
  assert.deepEqual(fired, [])
  pass(1)
  pass(1_000)
  assert.deepEqual(fired, [100])
  timer.refresh()
  pass(100)
  assert.deepEqual(fired, [100, 1_200])
})

test('activity puts it off, whenever in between it comes', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 20 }), (gaps) => {
      // Each run has a clock of its own.
      let now = 0
      let due: { readonly at: number; readonly call: () => void } | undefined
      const clock = {
        set: (call: () => void, ms: number) => (due = { at: now + ms, call }),
        clear: () => (due = undefined),
      }
      const pass = (ms: number): void => {
        const end = now + ms
        while (due !== undefined && due.at <= end) {
          const { at, call } = due
          due = undefined
          now = at
          call()
        }
        now = end
      }
      const fired: number[] = []
      withClock(
        clock,
        () => now,
        () => {
          const timer = new IdleTimer(() => fired.push(now))
          timer.set(100)
          for (const gap of gaps) {
            pass(gap)
            timer.refresh()
          }
          const last = now
          pass(1_000)
          assert.deepEqual(fired, [last + 100])
        },
      )
    }),
  )
})

/** Runs `body` with timers of its own. */
function withClock(
  clock: { readonly set: (call: () => void, ms: number) => unknown; readonly clear: () => unknown },
  now: () => number,
  body: () => void,
): void {
  const { setTimeout: realSet, clearTimeout: realClear } = globalThis
  const { now: realNow } = Date
  Object.assign(globalThis, { setTimeout: clock.set, clearTimeout: clock.clear })
  Date.now = now
  try {
    body()
  } finally {
    Object.assign(globalThis, { setTimeout: realSet, clearTimeout: realClear })
    Date.now = realNow
  }
}

test('stopped, or set to 0, it stays silent until it is set again', (t) => {
  const { timer, fired, pass } = start(t)
  timer.set(10)
  timer.stop()
  pass(100)
  timer.set(10)
  timer.set(0)
  timer.refresh()
  pass(100)
  assert.deepEqual([fired, timer.timeoutMs], [[], 0])
  timer.set(10)
  pass(10)
  assert.equal(fired.length, 1)
})

test('what is no time is refused, and what is longer than a timer can run is cut', () => {
  const timer = new IdleTimer(() => {})
  const codes = [-1, Number.NaN, Infinity, '5', null, undefined].map((value) => {
    try {
      return timer.set(value)
    } catch (error) {
      return Reflect.get(error as Error, 'code')
    }
  })
  const [range, type] = ['ERR_OUT_OF_RANGE', 'ERR_INVALID_ARG_TYPE']
  assert.deepEqual(codes, [range, range, range, type, type, type])
  timer.set(1e12)
  assert.equal(timer.timeoutMs, 2 ** 31 - 1)
  timer.stop()
})
