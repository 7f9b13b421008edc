import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NameCache } from './name-cache.ts'

const KNOWN = { addresses: ['10.0.0.1'] }

test('an answer holds for its time and not a moment longer', () => {
  let now = 100
  const cache = new NameCache(() => now)
  cache.keep('db', KNOWN, 50)
  now = 149
  assert.equal(cache.get('db'), KNOWN)
  now = 150
  assert.equal(cache.get('db'), undefined)
  now = 120
  assert.equal(cache.get('db'), undefined, 'what has run out is gone')
})

test('an answer without time is not kept, and a later one takes the place of an earlier one', () => {
  const cache = new NameCache(() => 0)
  cache.keep('db', KNOWN, 0)
  assert.equal(cache.get('db'), undefined)
  cache.keep('db', KNOWN, 10)
  cache.keep('db', { absence: 'gone' }, 10)
  assert.deepEqual(cache.get('db'), { absence: 'gone' })
})

test('however many names are asked for, so many are kept, the latest ones', () => {
  const cache = new NameCache(() => 0)
  for (let at = 0; at < 5_000; at += 1) cache.keep(`h${at}`, KNOWN, 1_000)
  const kept = Array.from({ length: 5_000 }, (_, at) => cache.get(`h${at}`) !== undefined)
  assert.equal(kept.filter(Boolean).length, 4_096)
  assert.deepEqual([kept[0], kept[903], kept[904], kept[4_999]], [false, false, true, true])
})
