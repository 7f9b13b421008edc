import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Flag, FrameType, GoAwayCode, HEADER_BYTES, INITIAL_WINDOW_BYTES, writeHeader } from './frame.ts'

test('the numbers are those of the yamux specification', () => {
  assert.deepEqual(FrameType, { Data: 0, WindowUpdate: 1, Ping: 2, GoAway: 3 })
  assert.deepEqual(Flag, { Syn: 1, Ack: 2, Fin: 4, Rst: 8 })
  assert.deepEqual(GoAwayCode, { Normal: 0, ProtocolError: 1, InternalError: 2, Disconnected: 3 }) // the last is Hawser's
  assert.equal(INITIAL_WINDOW_BYTES, 262_144)
  assert.equal(HEADER_BYTES, 12)
})

test('a header is version, type, flags, stream id and length, big-endian', () => {
  const out = Buffer.alloc(HEADER_BYTES)
  assert.equal(writeHeader(out, 0, FrameType.WindowUpdate, Flag.Syn | Flag.Fin, 0x01020304, 0xfffefdfc), HEADER_BYTES)
  assert.equal(out.toString('hex'), '00' + '01' + '0005' + '01020304' + 'fffefdfc')
})

test('every header comes out as it went in, wherever it stands in the buffer', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 0xffff }),
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.integer({ min: 0, max: 20 }),
      (type, flags, id, length, at) => {
        const out = Buffer.alloc(at + HEADER_BYTES + 3, 0xee)
        assert.equal(writeHeader(out, at, type as FrameType, flags, id, length), at + HEADER_BYTES)
        assert.deepEqual(
          [out[at], out[at + 1], out.readUInt16BE(at + 2), out.readUInt32BE(at + 4), out.readUInt32BE(at + 8)],
          [0, type, flags, id, length],
        )
        assert.ok(out.subarray(0, at).every((byte) => byte === 0xee))
        assert.ok(out.subarray(at + HEADER_BYTES).every((byte) => byte === 0xee))
      },
    ),
  )
})

test('a buffer that is too short is refused and left as it was', () => {
  const out = Buffer.alloc(HEADER_BYTES + 3, 0xee)
  assert.throws(() => writeHeader(out, 4, FrameType.Data, 0, 1, 1), RangeError)
  assert.ok(out.every((byte) => byte === 0xee))
})
