import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { HawserError } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import fc from 'fast-check'
import { text } from 'node:stream/consumers'
import { Flag, FrameType } from './frame.ts'
import { encodeMessage, MAX_MESSAGE_BYTES, MessageDecoder, parseMessage, readFirstMessage } from './messages.ts'
import type { Message } from './messages.ts'
import { sessionWithRawPeer, TestStream } from './session-pair.ts'

/** Everything a decoder makes of `bytes`, cut into pieces of the given sizes in turn. */
function decodeAll(bytes: Buffer, sizes: readonly number[]): Message[] {
  const decoder = new MessageDecoder()
  const messages: Message[] = []
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1
    let piece = bytes.subarray(at, at + size)
    at += size
    while (piece.length > 0) {
      piece = piece.subarray(decoder.push(piece))
      if (decoder.message !== undefined) messages.push(parseMessage(decoder.message))
    }
  }
  return messages
}

function withLength(json: string): Buffer {
  const body = Buffer.from(json)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(body.length)
  return Buffer.concat([length, body])
}

const message = fc.dictionary(fc.string({ maxLength: 12 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 6 })

describe('messages', () => {
  test('are a length of two bytes, big-endian, and JSON', () => {
    assert.equal(encodeMessage({ op: 'x' }).toString('hex'), '000a' + Buffer.from('{"op":"x"}').toString('hex'))
  })

  test('come out as they went in, whatever pieces they arrive in', () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 }),
        (messages, sizes) => {
          const expected = messages.map((each) => JSON.parse(JSON.stringify(each)) as Message)
          const bytes = Buffer.concat(messages.map((each) => encodeMessage(each)))
          assert.deepEqual(decodeAll(bytes, sizes), expected)
          assert.deepEqual(decodeAll(bytes, [1]), expected)
          assert.deepEqual(decodeAll(bytes, [bytes.length + 1]), expected)
        },
      ),
    )
  })

  test('a decoder takes exactly one message, and says how much of the piece that was', () => {
    const decoder = new MessageDecoder()
    const bytes = encodeMessage({ ok: true })
    assert.equal(decoder.push(Buffer.concat([bytes, Buffer.from('raw bytes')])), bytes.length)
    assert.equal(String(decoder.message), '{"ok":true}')
    assert.equal(decoder.push(bytes.subarray(0, 5)), 5)
    assert.equal(decoder.message, undefined)
    assert.equal(decoder.push(Buffer.concat([bytes.subarray(5), Buffer.from('raw')])), bytes.length - 5)
    assert.equal(String(decoder.message), '{"ok":true}')
  })

  test('of the largest size pass, larger ones are refused at both ends', () => {
    const largest = { x: 'y'.repeat(MAX_MESSAGE_BYTES - 8) }
    const bytes = encodeMessage(largest)
    assert.equal(bytes.length, 2 + MAX_MESSAGE_BYTES)
    assert.deepEqual(decodeAll(bytes, [1_000]), [largest])
    const tooLarge = { code: 'tunnel_protocol_error', message: /16385 bytes, allowed are 1 to 16384/ }
    assert.throws(() => encodeMessage({ x: 'y'.repeat(MAX_MESSAGE_BYTES - 7) }), tooLarge)
    assert.throws(() => new MessageDecoder().push(Buffer.from([0x40, 0x01])), tooLarge)
  })

  for (const [name, bytes, reason] of [
    ['an empty message', Buffer.alloc(2), /of 0 bytes/],
    ['text that is no JSON', withLength('{"op":'), /not JSON/],
    ['a list', withLength('[1]'), /not a JSON object/],
    ['null', withLength('null'), /not a JSON object/],
    ['a number', withLength('17'), /not a JSON object/],
    ['bytes that are no text', Buffer.from([0, 2, 0xff, 0xfe]), /not JSON/],
  ] as const) {
    test(`${name} is refused, whole and byte by byte`, () => {
      for (const size of [bytes.length, 1]) {
        assert.throws(() => decodeAll(bytes, [size]), { code: 'tunnel_protocol_error', message: reason })
      }
    })
  }
})

describe('readFirstMessage', () => {
  const { Data } = FrameType
  const { Syn, Fin } = Flag

  test('leaves what follows the message to the reader of the stream, wherever the bytes are cut', async (t) => {
    assertNoLeaks(t)
    const bytes = Buffer.concat([encodeMessage({ op: 'dial' }), Buffer.from('raw bytes')])
    for (let at = 0; at <= bytes.length; at += 1) {
      const first = Promise.withResolvers<readonly [TestStream, Buffer]>()
      await using tested = sessionWithRawPeer('server', {
        onStream: (opened) =>
          readFirstMessage(opened, {
            onMessage: (each) => first.resolve([new TestStream(opened), each]),
            onLost: first.reject,
          }),
      })
      tested.peer.send(Data, Syn, 1, bytes.subarray(0, at))
      tested.peer.send(Data, Fin, 1, bytes.subarray(at))
      const [stream, found] = await first.promise
      assert.deepEqual(parseMessage(found), { op: 'dial' })
      assert.equal(await text(stream), 'raw bytes')
      stream.destroy()
    }
  })

  for (const [name, payload, flags, code] of [
    ['something that is no message', Buffer.from('GET / HTTP/1.1\r\n'), Syn, 'tunnel_protocol_error'],
    ['an end before the message is whole', Buffer.from([0, 9, 0x7b]), Syn | Fin, 'connection_terminated'],
    ['nothing but an end', Buffer.alloc(0), Syn | Fin, 'connection_terminated'],
  ] as const) {
    test(`${name} destroys the stream and is told`, { timeout: 10_000 }, async (t) => {
      assertNoLeaks(t)
      const lost = Promise.withResolvers<HawserError>()
      await using tested = sessionWithRawPeer('server', {
        onStream: (stream) =>
          readFirstMessage(stream, { onMessage: () => assert.fail('a message'), onLost: lost.resolve }),
      })
      tested.peer.send(Data, flags, 1, payload)
      assert.equal((await lost.promise).code, code)
      assert.equal(tested.session.streamCount, 0)
    })
  }
})
