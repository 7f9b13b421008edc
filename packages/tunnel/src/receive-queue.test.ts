import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isSmallPart, ReceiveQueue } from './receive-queue.ts'

/** A piece as the decoder makes it: a view of a chunk. */
function pieceOf(chunkBytes: number, length: number, fill = 1): Buffer {
  return Buffer.alloc(chunkBytes, fill).subarray(0, length)
}

describe('ReceiveQueue', () => {
  test('gives the bytes back in order, and counts them', () => {
    const step = fc.oneof(fc.constant('shift' as const), fc.uint8Array({ minLength: 1, maxLength: 6_000, size: 'max' }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new ReceiveQueue()
        const pushed: Buffer[] = []
        const taken: Buffer[] = []
        for (const bytes of steps) {
          if (bytes === 'shift') {
            const piece = queue.shift()
            if (piece !== undefined) taken.push(Buffer.from(piece))
          } else {
            // A view of a larger chunk, as most payload is.
            const chunk = Buffer.concat([Buffer.alloc(7), bytes, Buffer.alloc(bytes.length * 3)])
            queue.push(chunk.subarray(7, 7 + bytes.length))
            pushed.push(Buffer.from(bytes))
          }
          const bytesOf = (list: Buffer[]): number => list.reduce((sum, { length }) => sum + length, 0)
          assert.equal(queue.bytes, bytesOf(pushed) - bytesOf(taken))
        }
        for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) taken.push(piece)
        assert.equal(queue.bytes, 0)
        assert.ok(Buffer.concat(taken).equals(Buffer.concat(pushed)))
      }),
      { numRuns: 60 },
    )
  })

  test('holds a large piece as it came', () => {
    const queue = new ReceiveQueue()
    const piece = pieceOf(16_384, 16_000)
    queue.push(piece)
    assert.equal(queue.shift(), piece)
  })

  test('does not keep large chunks alive for the sake of small pieces', () => {
    const queue = new ReceiveQueue()
    for (let index = 0; index < 20_000; index += 1) queue.push(pieceOf(64 * 1024, 1 + (index % 20)))
    const memory = new Set<ArrayBufferLike>()
    let bytes = 0
    for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) {
      memory.add(piece.buffer)
      bytes += piece.length
    }
    const held = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0)
    assert.ok(held < bytes * 2, `${held} bytes held for ${bytes}`)
  })

  test('a gathered piece that has been taken does not change any more', () => {
    const queue = new ReceiveQueue()
    queue.push(pieceOf(1_000, 3, 1))
    const first = queue.shift()
    queue.push(pieceOf(1_000, 3, 2))
    assert.equal(first?.toString('hex'), '010101')
    assert.equal(queue.shift()?.toString('hex'), '020202')
  })

  test('forgets all at once', () => {
    const queue = new ReceiveQueue()
    queue.push(pieceOf(1_000, 3))
    queue.push(pieceOf(16_384, 16_000))
    queue.clear()
    assert.equal(queue.bytes, 0)
    assert.equal(queue.shift(), undefined)
  })

  test('a piece counts as small when it pins more than twice its size', () => {
    assert.equal(isSmallPart(pieceOf(100, 49)), true)
    assert.equal(isSmallPart(pieceOf(100, 50)), false)
  })
})
