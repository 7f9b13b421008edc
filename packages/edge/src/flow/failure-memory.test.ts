import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FailureMemory } from './failure-memory.ts'

const failure = (flow: string) => ({ code: 'dns_error', message: 'why', flow }) as const

test('failure memory: tells what became of a call', () => {
  const memory = new FailureMemory()
  memory.remember('a', failure('f1'), 0)
  assert.deepEqual(memory.recall('a', 1), failure('f1'))
  assert.equal(memory.recall('b', 1), undefined)
})

test('failure memory: forgets after a minute', () => {
  const memory = new FailureMemory()
  memory.remember('a', failure('f1'), 0)
  assert.notEqual(memory.recall('a', 60_000), undefined)
  assert.equal(memory.recall('a', 60_001), undefined)
})

test('failure memory: a call id used again means the later call', () => {
  const memory = new FailureMemory()
  memory.remember('a', failure('f1'), 0)
  memory.remember('a', failure('f2'), 50_000)
  assert.equal(memory.recall('a', 100_000)?.flow, 'f2')
})

test('failure memory: keeps a thousand, the latest', () => {
  const memory = new FailureMemory()
  for (let at = 0; at < 3_000; at += 1) memory.remember(`c${at}`, failure(`f${at}`), at)
  assert.equal(memory.recall('c1999', 3_000), undefined)
  assert.equal(memory.recall('c2000', 3_000)?.flow, 'f2000')
})
