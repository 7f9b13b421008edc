import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pattern } from './pattern.ts'
import type { Direction } from './pattern.ts'

const pattern = new Pattern(1)

/** `bytes` bytes from `offset` on, however many pieces that takes. */
function take(flow: number, direction: Direction, offset: number, bytes: number): Buffer {
  const pieces: Uint8Array[] = []
  for (let left = bytes; left > 0;) {
    const piece = pattern.piece(flow, direction, offset + bytes - left, left)
    pieces.push(piece)
    left -= piece.length
  }
  return Buffer.concat(pieces)
}

test('what was sent is found right, wherever it is cut', () => {
  const bytes = take(3, 'up', 0, 2_500_000)
  for (const [from, to] of [
    [0, 2_500_000],
    [1, 2],
    [1_048_000, 1_050_000],
  ] as const) {
    assert.equal(pattern.differsAt(3, 'up', from, bytes.subarray(from, to)), -1)
  }
})

test('a byte that is wrong, missing, doubled or of another flow or direction shows', () => {
  const bytes = take(3, 'up', 0, 10_000)
  const wrong = Buffer.from(bytes)
  wrong[5_000] = (wrong[5_000] ?? 0) ^ 1
  assert.equal(pattern.differsAt(3, 'up', 0, wrong), 5_000)
  assert.ok(pattern.differsAt(3, 'up', 0, bytes.subarray(1)) >= 0)
  assert.ok(pattern.differsAt(3, 'up', 65_536, bytes) >= 65_536)
  assert.ok(pattern.differsAt(4, 'up', 0, bytes) >= 0)
  assert.ok(pattern.differsAt(3, 'down', 0, bytes) >= 0)
})

test('another seed gives other bytes', () => {
  assert.ok(new Pattern(2).differsAt(3, 'up', 0, take(3, 'up', 0, 100)) >= 0)
})
