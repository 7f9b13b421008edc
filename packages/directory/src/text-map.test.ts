import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TextMap } from './text-map.ts'

test('it holds what a Map holds, whatever the texts', () => {
  const text = fc.oneof(fc.stringMatching(/^[a-c.]{0,4}$/), fc.string({ unit: 'grapheme-ascii', maxLength: 40 }))
  fc.assert(
    fc.property(fc.array(fc.tuple(text, fc.nat(1_000)), { maxLength: 200 }), fc.array(text), (entries, asked) => {
      const map = new TextMap()
      const oracle = new Map(entries)
      for (const [key, value] of entries) map.set(key, value)
      assert.equal(map.size, oracle.size)
      for (const key of [...asked, ...oracle.keys()]) {
        assert.equal(map.get(key, 0), oracle.get(key) ?? -1, key)
        assert.equal(map.get(`x.${key}`, 2), oracle.get(key) ?? -1, key)
      }
    }),
  )
})

test('texts that are not ASCII are asked for without harm', () => {
  const map = new TextMap()
  map.set('db', 1)
  for (const text of ['ďb', 'd\u0162', '🚢', '\ud800']) assert.equal(map.get(text, 0), -1)
})

test('it grows to many texts and finds each of them', () => {
  const map = new TextMap()
  for (let at = 0; at < 50_000; at += 1) map.set(`host-${at}.internal`, at)
  for (let at = 0; at < 50_000; at += 13) assert.equal(map.get(`host-${at}.internal`, 0), at)
  assert.equal(map.get('host-50000.internal', 0), -1)
  assert.equal(map.size, 50_000)
})

test('a text that is longer than any name is refused', () => {
  const map = new TextMap()
  map.set('x'.repeat(255), 16_777_215)
  assert.equal(map.get('x'.repeat(255), 0), 16_777_215)
  assert.throws(() => map.set('x'.repeat(256), 1), RangeError)
  assert.equal(map.get('x'.repeat(256), 0), -1)
})
