import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { FrameDecoder } from './decoder.ts'
import type { FrameSink } from './decoder.ts'
import { Flag, FrameType, HEADER_BYTES } from './frame.ts'
import { frameBytes } from './raw-peer.ts'

/** Keeps what a decoder tells, payload joined by frame, so that two ways of cutting the input can be compared. */
class Recorder implements FrameSink {
  readonly seen: string[] = []
  readonly pieces: Buffer[] = []
  #payload = ''

  onFrame(type: FrameType, flags: number, streamId: number, length: number): void {
    this.seen.push(`${type} ${flags} ${streamId} ${length}`)
    this.#payload = ''
  }

  onPayload(piece: Buffer, left: number): void {
    assert.ok(piece.length > 0)
    this.pieces.push(piece)
    this.#payload += piece.toString('hex')
    if (left === 0) this.seen.push(this.#payload)
  }

  onGarbage(reason: string): void {
    this.seen.push(`garbage: ${reason}`)
  }
}

function decode(chunks: readonly Buffer[]): Recorder {
  const recorder = new Recorder()
  const decoder = new FrameDecoder(recorder)
  for (const chunk of chunks) decoder.push(chunk)
  return recorder
}

/** `bytes` cut after each of `sizes` bytes, the last size repeated to the end. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  let at = 0
  for (let index = 0; at < bytes.length; index += 1) {
    const size = sizes[Math.min(index, sizes.length - 1)] ?? 1
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

const data = fc
  .tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 1, max: 0xffff_ffff }), fc.uint8Array({ maxLength: 200 }))
  .map(([flags, id, payload]) => frameBytes(FrameType.Data, flags, id, Buffer.from(payload)))
const other = fc
  .tuple(
    fc.constantFrom(FrameType.WindowUpdate, FrameType.Ping, FrameType.GoAway),
    fc.integer({ min: 0, max: 0xffff }),
    fc.integer({ min: 0, max: 0xffff_ffff }),
    fc.integer({ min: 0, max: 0xffff_ffff }),
  )
  .map(([type, flags, id, length]) => frameBytes(type, flags, id, length))
const frames = fc.array(fc.oneof(data, other), { maxLength: 12 }).map((list) => Buffer.concat(list))

describe('FrameDecoder', () => {
  test('reads the same frames however the bytes are cut', () => {
    fc.assert(
      fc.property(
        frames,
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }),
        (bytes, sizes) => {
          assert.deepEqual(decode(cut(bytes, sizes)).seen, decode([bytes]).seen)
        },
      ),
    )
  })

  test('reads the same frames with a cut at every single byte', () => {
    const bytes = Buffer.concat([
      frameBytes(FrameType.Data, Flag.Syn, 1, Buffer.from('request')),
      frameBytes(FrameType.WindowUpdate, Flag.Ack, 1, 131_072),
      frameBytes(FrameType.Data, Flag.Fin, 1, 0),
      frameBytes(FrameType.Ping, Flag.Syn, 0, 7),
      frameBytes(FrameType.Data, 0, 3, Buffer.alloc(40, 1)),
      frameBytes(FrameType.GoAway, 0, 0, 0),
    ])
    const whole = decode([bytes]).seen
    assert.equal(whole.length, 8)
    for (let at = 1; at < bytes.length; at += 1) {
      assert.deepEqual(decode([bytes.subarray(0, at), bytes.subarray(at)]).seen, whole)
    }
    assert.deepEqual(decode(cut(bytes, [1])).seen, whole)
  })

  test('hands out views of what it read, not copies', () => {
    const chunk = frameBytes(FrameType.Data, 0, 1, Buffer.from('payload'))
    const [piece] = decode([chunk]).pieces
    assert.equal(piece?.buffer, chunk.buffer)
    assert.equal(piece?.byteOffset, chunk.byteOffset + HEADER_BYTES)
  })

  test('hands payload on as it arrives, whatever length the header says', () => {
    const header = frameBytes(FrameType.Data, 0, 1, 0xffff_ffff)
    const { pieces } = decode([header, Buffer.alloc(10), Buffer.alloc(20)])
    assert.deepEqual(
      pieces.map(({ length }) => length),
      [10, 20],
    )
  })

  test('says how much of the payload is still to come', () => {
    const left: number[] = []
    const recorder = new Recorder()
    const decoder = new FrameDecoder({
      onFrame: () => {},
      onPayload: (_piece, rest) => left.push(rest),
      onGarbage: (reason) => recorder.onGarbage(reason),
    })
    for (const chunk of cut(frameBytes(FrameType.Data, 0, 1, Buffer.alloc(10)), [15, 4])) decoder.push(chunk)
    assert.deepEqual(left, [7, 3, 0])
  })

  for (const [name, bytes, reason] of [
    ['another version', '01' + '00'.repeat(11), 'garbage: frame version 1, expected 0'],
    ['an unknown type', '0004' + '00'.repeat(10), 'garbage: frame type 4, expected 0 to 3'],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex'), 'garbage: frame version 71, expected 0'],
  ] as const) {
    test(`stops at ${name}, whole and byte by byte`, () => {
      const more = Buffer.concat([Buffer.from(bytes, 'hex'), frameBytes(FrameType.Ping, Flag.Syn, 0, 1)])
      assert.deepEqual(decode([more]).seen, [reason])
      assert.deepEqual(decode(cut(more, [1])).seen, [reason])
    })
  }

  test('random bytes never make it throw, and it reads nothing past the first garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 20 }), (bytes, size) => {
        const { seen } = decode(cut(Buffer.from(bytes), [size]))
        const at = seen.findIndex((line) => line.startsWith('garbage'))
        assert.ok(at === -1 || at === seen.length - 1)
      }),
    )
  })

  test('reads nothing more once it has been stopped, not even the rest of the chunk', () => {
    const seen: number[] = []
    const decoder: FrameDecoder = new FrameDecoder({
      onFrame: (_type, _flags, id) => {
        seen.push(id)
        if (id === 2) decoder.stop()
      },
      onPayload: () => {},
      onGarbage: () => {},
    })
    decoder.push(Buffer.concat([1, 2, 3].map((id) => frameBytes(FrameType.WindowUpdate, 0, id, 0))))
    decoder.push(frameBytes(FrameType.WindowUpdate, 0, 4, 0))
    assert.deepEqual(seen, [1, 2])
  })
})
