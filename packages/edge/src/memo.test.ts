import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Memo } from './memo.ts'

test('memo: computes once for each text', () => {
  let calls = 0
  const memo = new Memo((key) => {
    calls += 1
    return key.length
  })
  assert.deepEqual([memo.get('a'), memo.get('a'), memo.get('bb')], [1, 1, 2])
  assert.equal(calls, 2)
})

test('memo: does not grow beyond its limit', () => {
  let calls = 0
  const memo = new Memo((key) => ((calls += 1), key), 10)
  for (let at = 0; at < 1_000; at += 1) assert.equal(memo.get(`k${at % 20}`), `k${at % 20}`)
  assert.ok(calls > 20, 'entries were dropped')
  memo.get('last')
  const before = calls
  memo.get('last')
  assert.equal(calls, before)
})

test('memo: what throws is asked again', () => {
  let calls = 0
  const memo = new Memo((): number => {
    calls += 1
    throw new Error('no')
  })
  assert.throws(() => memo.get('a'))
  assert.throws(() => memo.get('a'))
  assert.equal(calls, 2)
})
