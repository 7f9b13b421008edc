import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copyOf, giveBack, lentCopy } from './copies.ts'

for (const size of [0, 1, 4096, 4097, 65_535, 65_536, 65_537, 1_000_000]) {
  test(`a copy of ${size} bytes is equal and independent`, () => {
    for (const copy of [copyOf, lentCopy]) {
      const bytes = new Uint8Array(size).fill(7)
      const copied = copy(bytes)
      bytes.fill(8)
      assert.equal(copied.length, size)
      assert.ok(copied.every((byte) => byte === 7))
    }
  })
}

test('memory that was given back is lent again, and two copies never share any', () => {
  const bytes = new Uint8Array(10_000)
  const first = lentCopy(bytes)
  const second = lentCopy(bytes)
  assert.notEqual(first.buffer, second.buffer)
  giveBack(first)
  assert.equal(lentCopy(bytes).buffer, first.buffer)
})

test('memory of small and of large copies is not kept', () => {
  for (const size of [100, 100_000]) {
    const copy = lentCopy(new Uint8Array(size))
    giveBack(copy)
    assert.notEqual(lentCopy(new Uint8Array(10_000)).buffer, copy.buffer)
  }
})
