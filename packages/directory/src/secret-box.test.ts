import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { test } from 'node:test'
import { Secret } from '@hawser/core'
import fc from 'fast-check'
import { SecretBox } from './secret-box.ts'

const box = new SecretBox(Buffer.alloc(32, 1))

test('what was sealed opens again, under the same key and owner', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, owner) => {
      const sealed = box.seal(new Secret(text), owner)
      assert.equal(new SecretBox(Buffer.alloc(32, 1)).open(sealed, owner).reveal(), text)
    }),
  )
})

test('no two sealings are alike', () => {
  const seals = Array.from({ length: 100 }, () => box.seal(new Secret('same'), 'owner'))
  assert.equal(new Set(seals).size, 100)
})

test('another key, another owner and every altered bit are refused', () => {
  const sealed = box.seal(new Secret('secret'), 'owner')
  const refusal = { code: 'storage_failed', message: /cannot be decrypted/ }
  assert.throws(() => new SecretBox(Buffer.alloc(32, 2)).open(sealed, 'owner'), refusal)
  assert.throws(() => box.open(sealed, 'other'), refusal)
  const bytes = Buffer.from(sealed, 'base64')
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const altered = Buffer.from(bytes)
    altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.throws(() => box.open(altered.toString('base64'), 'owner'), refusal)
  }
})

test('text of any length that was never sealed is refused', () => {
  for (const text of ['', 'AQ==', 'not base64 at all', Buffer.alloc(28, 1).toString('base64')]) {
    assert.throws(() => box.open(text, 'owner'), { code: 'storage_failed' })
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      assert.throws(() => box.open(Buffer.from(bytes).toString('base64'), 'owner'), { code: 'storage_failed' })
    }),
  )
})

test('a key of another size is refused', () => {
  for (const size of [0, 16, 24, 31, 33, 64]) {
    assert.throws(() => new SecretBox(Buffer.alloc(size)), { code: 'options_invalid' })
  }
})

test('the key is copied, and shows up nowhere', () => {
  const key = Buffer.alloc(32, 'k')
  const own = new SecretBox(key)
  const sealed = own.seal(new Secret('secret'), 'owner')
  key.fill(0)
  assert.equal(own.open(sealed, 'owner').reveal(), 'secret')
  assert.equal(inspect(own, { depth: 9, showHidden: true }).includes('kkkk'), false)
})
