import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ERRORS, HawserError } from '@hawser/core'
import type { DialTarget, ErrorCode } from '@hawser/core'
import fc from 'fast-check'
import { encodeDialed, encodeDialRequest, parseDialReply, parseDialRequest } from './dial-messages.ts'
import { encodeMessage, MessageDecoder } from './messages.ts'
import { encodeRefusal } from './refusal.ts'

/** What is in a message, without its length. */
function unwrap(bytes: Buffer): Buffer {
  const decoder = new MessageDecoder()
  assert.equal(decoder.push(bytes), bytes.length)
  assert.ok(decoder.message !== undefined)
  return decoder.message
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const target: DialTarget = { host: 'db', port: 5432, flowId: 'f1', timeoutMs: 10_000 }
const request = hex('01 1538 00002710 02 6462 02 6631 00 00')

describe('the dial request', () => {
  test('names port, time limit, host and flow', () => {
    assert.equal(unwrap(encodeDialRequest(target)).toString('hex'), request.toString('hex'))
    assert.deepEqual(parseDialRequest(request), target)
  })

  test('names a second address and the resolvers to ask, where there are any', () => {
    for (const more of [
      { otherHost: 'fd00::5' },
      { resolverIps: ['10.0.0.53'] },
      { otherHost: 'fd00::5', resolverIps: ['10.0.0.53', 'fd00::53'] },
    ]) {
      const parsed = parseDialRequest(unwrap(encodeDialRequest({ ...target, ...more })))
      assert.deepEqual(parsed, { ...target, otherHost: undefined, ...more })
    }
  })

  test('comes out as it went in', () => {
    const targets = fc.record(
      {
        host: fc.string({ minLength: 1, maxLength: 253 }),
        port: fc.integer({ min: 1, max: 65_535 }),
        flowId: fc.string({ maxLength: 64 }),
        timeoutMs: fc.integer({ min: 1, max: 600_000 }),
        otherHost: fc.ipV6(),
        resolverIps: fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { minLength: 1, maxLength: 8 }),
      },
      { noNullPrototype: true, requiredKeys: ['host', 'port', 'flowId', 'timeoutMs', 'otherHost'] },
    )
    fc.assert(fc.property(targets, (each) => assert.deepEqual(parseDialRequest(unwrap(encodeDialRequest(each))), each)))
  })

  for (const [field, bytes] of [
    ['length', '01 1538 0000'],
    ['port', '01 0000 00002710 02 6462 02 6631 00 00'],
    ['timeoutMs', '01 1538 00000000 02 6462 02 6631 00 00'],
    ['timeoutMs', '01 1538 000927c1 02 6462 02 6631 00 00'],
    ['host', '01 1538 00002710'],
    ['host', '01 1538 00002710 00 02 6631 00 00'],
    ['host', '01 1538 00002710 03 6462'],
    ['host', `01 1538 00002710 fe ${'68'.repeat(254)} 02 6631 00 00`],
    ['flow', '01 1538 00002710 02 6462'],
    ['flow', `01 1538 00002710 02 6462 41 ${'66'.repeat(65)} 00 00`],
    ['other', '01 1538 00002710 02 6462 02 6631'],
    ['other', `01 1538 00002710 02 6462 02 6631 2e ${'66'.repeat(46)} 00`],
    ['resolvers', '01 1538 00002710 02 6462 02 6631 00'],
    ['resolvers', `01 1538 00002710 02 6462 02 6631 00 09 ${'01 66'.repeat(9)}`],
    ['resolvers', '01 1538 00002710 02 6462 02 6631 00 02 01 66'],
    ['resolvers', '01 1538 00002710 02 6462 02 6631 00 01 00'],
    ['resolvers', `01 1538 00002710 02 6462 02 6631 00 01 2e ${'66'.repeat(46)}`],
  ] as const) {
    test(`is refused as ${bytes.slice(0, 60)}, naming ${field}`, () => {
      const wrong = { code: 'tunnel_protocol_error', message: new RegExp(`^dial: ${field}: expected .*, got`) }
      assert.throws(() => parseDialRequest(hex(bytes)), wrong)
    })
  }

  test('is read or refused with its code, whatever the bytes', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 60 }).map((each) => Buffer.from([1, ...each]))
    fc.assert(
      fc.property(bytes, (each) => {
        try {
          assert.ok(parseDialRequest(each).host.length > 0)
        } catch (error) {
          assert.ok(HawserError.is(error, 'tunnel_protocol_error'))
        }
      }),
    )
  })

  test('may hold more than this version knows', () => {
    assert.deepEqual(parseDialRequest(Buffer.concat([request, Buffer.from('later')])), target)
  })

  test('of another kind is an unknown operation', () => {
    const unknown = { code: 'tunnel_protocol_error', message: 'unknown operation "resolve"' }
    assert.throws(() => parseDialRequest(unwrap(encodeMessage({ op: 'resolve' }))), unknown)
    assert.throws(() => parseDialRequest(hex('7f')), { message: 'unknown operation 127' })
  })

  test('is not sent with a host that does not fit', () => {
    const tooLong = { code: 'address_invalid', message: /256 bytes, allowed are 255/ }
    assert.throws(() => encodeDialRequest({ ...target, host: 'h'.repeat(256) }), tooLong)
  })
})

describe('the dial reply', () => {
  test('of a success carries the address that answered', () => {
    const reply = unwrap(encodeDialed('10.0.0.7:5432'))
    assert.equal(reply.toString('hex'), hex(`02 0d ${Buffer.from('10.0.0.7:5432').toString('hex')}`).toString('hex'))
    assert.equal(parseDialReply(reply), '10.0.0.7:5432')
    assert.equal(parseDialReply(Buffer.concat([reply, Buffer.from('later')])), '10.0.0.7:5432')
  })

  test('of a failure carries code and reason, for every code there is', () => {
    for (const code of Object.keys(ERRORS) as ErrorCode[]) {
      const refusal = unwrap(encodeRefusal(new HawserError(code, 'because')))
      assert.throws(() => parseDialReply(refusal), { code, message: 'because' })
    }
  })

  test('with a code from a newer version becomes destination_unavailable', () => {
    const refusal = Buffer.from(JSON.stringify({ ok: false, code: 'quantum_decoherence', message: 'sorry' }))
    assert.throws(() => parseDialReply(refusal), { code: 'destination_unavailable', message: 'sorry' })
  })

  for (const reply of [
    '{}',
    '{"ok":"yes"}',
    '{"ok":true}',
    '{"op":"dial"}',
    '[]',
    '\u0002',
    '\u0002\u0000',
    '\u0002\u0005:1',
  ]) {
    test(`${JSON.stringify(reply)} is no reply`, () => {
      assert.throws(() => parseDialReply(Buffer.from(reply)), { code: 'tunnel_protocol_error' })
    })
  }
})
