import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SessionCache } from './session-cache.ts'

const HOUR_MS = 3_600_000
const session = (text: string): Buffer => Buffer.from(text)

test('session cache: gives back what was put in last, with the time of the proof', () => {
  const cache = new SessionCache()
  assert.equal(cache.get('a', 0), undefined)
  cache.set('a', session('one'), 5)
  cache.set('a', session('two'), 5)
  assert.deepEqual(cache.get('a', 10), { session: session('two'), since: 5 })
  assert.equal(cache.size, 1)
})

test('session cache: what was used last is kept', () => {
  const cache = new SessionCache(2)
  cache.set('a', session('a'), 0)
  cache.set('b', session('b'), 0)
  cache.get('a', 1)
  cache.set('c', session('c'), 0)
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => cache.get(key, 1)?.session.toString()),
    ['a', undefined, 'c'],
  )
})

test('session cache: a proof is believed for an hour, however often its session was renewed', () => {
  const cache = new SessionCache()
  cache.set('a', session('a'), 0)
  cache.set('a', session('renewed'), cache.get('a', HOUR_MS)?.since ?? -1)
  assert.equal(cache.get('a', HOUR_MS + 1), undefined)
  assert.equal(cache.size, 0)
})

test('session cache: forgets when told', () => {
  const cache = new SessionCache()
  cache.set('a', session('a'), 0)
  cache.delete('a')
  assert.equal(cache.get('a', 0), undefined)
})
