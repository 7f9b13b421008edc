import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineCase } from './case.ts'
import type { Case, Side } from './case.ts'
import { measureCase } from './measure.ts'
import type { Scope } from './scope.ts'

/** A side that gives `samples` one after the other and writes its name into `order` each time. */
interface FakeSide extends Side {
  readonly samples: readonly (number | Error)[]
}

function side(name: string, samples: readonly (number | Error)[], absent?: string): FakeSide {
  return { name, samples, absence: () => Promise.resolve(absent) }
}

interface Fake {
  readonly of: Case
  readonly order: string[]
  readonly scopes: Scope[]
}

function fake(ours: FakeSide, peers: readonly FakeSide[], better: 'more' | 'less' = 'more'): Fake {
  const order: string[] = []
  const scopes: Scope[] = []
  const of = defineCase({
    name: 'fake',
    summary: 'numbers',
    unit: 'n',
    better,
    ours,
    peers,
    async open(scope) {
      scopes.push(scope)
      return (one) => {
        if (one.samples.length === 0) return Promise.reject(new Error('does not start'))
        const left = [...one.samples]
        return Promise.resolve(async () => {
          order.push(one.name)
          const sample = left.shift()
          if (sample instanceof Error) throw sample
          return sample ?? 1
        })
      }
    },
  })
  return { of, order, scopes }
}

const never = new AbortController().signal
const quiet = (): void => {}

test('sides are measured in turn, after one warm-up of each', async () => {
  const { of, order } = fake(side('ours', [1, 1, 1]), [side('a', [1, 1, 1]), side('b', [1, 1, 1])])
  await measureCase(of, 2, never, quiet)
  assert.deepEqual(order, ['ours', 'a', 'b', 'ours', 'a', 'b', 'ours', 'a', 'b'])
})

test('the warm-up does not count, and the figures are medians', async () => {
  const { of } = fake(side('ours', [1_000, 10, 30, 20]), [side('a', [9_000, 5, 10, 20])])
  const { figures, failed, absent } = await measureCase(of, 3, never, quiet)
  assert.deepEqual([failed, absent], [[], []])
  const [only] = figures
  assert.equal(figures.length, 1)
  assert.deepEqual([only?.peer, only?.ours, only?.theirs, only?.ratio], ['a', 20, 10, 2])
  assert.deepEqual(only?.spread, [1, 3])
  assert.equal(only?.label.unit, 'n')
})

test('where less is better, the ratio says so', async () => {
  const { of } = fake(side('ours', [1, 10]), [side('a', [1, 40])], 'less')
  const { figures } = await measureCase(of, 1, never, quiet)
  assert.equal(figures[0]?.ratio, 4)
})

test('an absent peer is named with its reason, is never started, and nothing has failed', async () => {
  const { of, order } = fake(side('ours', [1, 1]), [side('a', [1, 1], 'not on PATH'), side('b', [1, 1])])
  const { absent, failed } = await measureCase(of, 1, never, quiet)
  assert.deepEqual(absent, [{ case: 'fake', side: 'a', reason: 'not on PATH' }])
  assert.deepEqual(failed, [])
  assert.ok(!order.includes('a'))
})

test('what a side needs is installed before it is asked for, and not where that fails', async () => {
  let installed = false
  const late: FakeSide = {
    ...side('a', [1, 1]),
    prepare: async () => void (installed = true),
    absence: () => Promise.resolve(installed ? undefined : 'not installed'),
  }
  const offline: FakeSide = { ...side('b', [1, 1]), prepare: () => Promise.reject(new Error('no network')) }
  const { of, order } = fake(side('ours', [1, 1]), [late, offline])
  const { absent, failed } = await measureCase(of, 1, never, quiet)
  assert.deepEqual(absent, [{ case: 'fake', side: 'b', reason: 'no network' }])
  assert.deepEqual(failed, [])
  assert.deepEqual(order, ['ours', 'a', 'ours', 'a'])
})

test('a peer that does not start is a failure, and the others are measured', async () => {
  const { of } = fake(side('ours', [1, 1]), [side('a', []), side('b', [1, 1])])
  const { figures, failed } = await measureCase(of, 1, never, quiet)
  assert.deepEqual(failed, [{ case: 'fake', side: 'a', reason: 'does not start' }])
  assert.deepEqual(
    figures.map((figure) => figure.peer),
    ['b'],
  )
})

test('a peer that fails half way has no figure and is not measured again', async () => {
  const broken = side('a', [1, 1, new Error('broke'), 1])
  const { of, order } = fake(side('ours', [1, 1, 1, 1]), [broken, side('b', [1, 1, 1, 1])])
  const { figures, failed } = await measureCase(of, 3, never, quiet)
  assert.deepEqual(failed, [{ case: 'fake', side: 'a', reason: 'broke' }])
  assert.deepEqual(
    figures.map((figure) => figure.peer),
    ['b'],
  )
  assert.equal(order.filter((name) => name === 'a').length, 3)
})

test('once Hawser itself has failed, its peers are not measured further', async () => {
  const { of, order } = fake(side('ours', [1, new Error('broke')]), [side('a', [1, 1, 1, 1])])
  const { figures, failed } = await measureCase(of, 3, never, quiet)
  assert.deepEqual(figures, [])
  assert.deepEqual(failed, [{ case: 'fake', side: 'ours', reason: 'broke' }])
  assert.deepEqual(order, ['ours', 'a', 'ours', 'a'])
})

test('a case that cannot be opened is a failure of Hawser in that case', async () => {
  const { of } = fake(side('ours', [1]), [side('a', [1])])
  const closed: Case = { ...of, open: () => Promise.reject(new Error('no target')) }
  const { failed } = await measureCase(closed, 1, never, quiet)
  assert.deepEqual(failed, [{ case: 'fake', side: 'ours', reason: 'no target' }])
})

test('a reason is one line, however much the error has to say', async () => {
  const wordy = new Error(`no such export:\n\n    1 | ${'import '.repeat(200)}`)
  const { of } = fake(side('ours', [1, 1]), [side('a', [1, wordy])])
  const { failed } = await measureCase(of, 1, never, quiet)
  assert.match(failed[0]?.reason ?? '', /^no such export: 1 \| import import /)
  assert.ok((failed[0]?.reason.length ?? 0) <= 400)
})

test('a measurement that is no number above zero is a failure, not a figure', async () => {
  const { of } = fake(side('ours', [1, 1]), [side('a', [1, 0])])
  const { figures, failed } = await measureCase(of, 1, never, quiet)
  assert.deepEqual(figures, [])
  assert.match(failed[0]?.reason ?? '', /above zero/)
})

test('an interruption is thrown, not reported as a failure', async () => {
  const interruption = new AbortController()
  const { of } = fake(side('ours', [1, 1]), [side('a', [1, 1])])
  const stopping: Case = {
    ...of,
    open: () => {
      interruption.abort(new Error('interrupted'))
      return Promise.reject(new Error('torn down'))
    },
  }
  await assert.rejects(measureCase(stopping, 1, interruption.signal, quiet), /interrupted/)
})

test('progress has a line for every round with every side', async () => {
  const lines: string[] = []
  const { of } = fake(side('ours', [1, 2]), [side('a', [3, 4])])
  await measureCase(of, 1, never, (line) => void lines.push(line))
  assert.deepEqual(lines, ['fake: warm-up: ours 1.000, a 3.000 n', 'fake: run 1/1: ours 2.000, a 4.000 n'])
})
