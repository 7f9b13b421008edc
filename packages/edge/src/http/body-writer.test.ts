import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { BodyReader } from './body-reader.ts'
import { BodyWriter } from './body-writer.ts'

/** Keeps what is written, as it was handed over. */
class Kept extends Writable {
  readonly chunks: Buffer[] = []

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.chunks.push(chunk)
    done()
  }
}

test('body writer: what it chunks a reader puts together again', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 8 }), (parts) => {
      const to = new Kept()
      const writer = new BodyWriter(to, 'chunked')
      for (const part of parts) writer.write(Buffer.from(part))
      writer.end()
      const read: Buffer[] = []
      const reader = new BodyReader('chunked', 0)
      const wire = Buffer.concat(to.chunks)
      assert.equal(
        reader.read(wire, 0, (payload) => read.push(payload)),
        wire.length,
      )
      assert.equal(reader.done, true)
      assert.deepEqual(Buffer.concat(read), Buffer.concat(parts))
      assert.equal(writer.bytes, Buffer.concat(parts).length)
    }),
  )
})

test('body writer: a length body leaves as it is, uncopied, with nothing at its end', () => {
  const to = new Kept()
  const writer = new BodyWriter(to, 'length')
  const payload = Buffer.from('abc')
  writer.write(payload)
  writer.end()
  assert.equal(to.chunks.length, 1)
  assert.equal(to.chunks[0], payload)
})

test('body writer: says when the stream is full', () => {
  const to = new Kept({ highWaterMark: 4 })
  to.cork() // nothing leaves
  const writer = new BodyWriter(to, 'length')
  assert.equal(writer.write(Buffer.alloc(3)), true)
  assert.equal(writer.write(Buffer.alloc(3)), false)
})
