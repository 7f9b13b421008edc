import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ERRORS, HawserError } from '@hawser/core'
import type { DialTarget, ErrorCode } from '@hawser/core'
import fc from 'fast-check'
import { encodeDialed, encodeDialRequest, encodeRefusal, parseDialReply, parseDialRequest } from './dial-messages.ts'
import { MessageDecoder } from './messages.ts'
import type { Message } from './messages.ts'

function decode(bytes: Buffer): Message {
  const decoder = new MessageDecoder()
  assert.equal(decoder.push(bytes), bytes.length)
  assert.ok(decoder.message !== undefined)
  return decoder.message
}

const target: DialTarget = { host: 'db.internal', port: 5432, flowId: 'f1', timeoutMs: 10_000 }
const request = { op: 'dial', host: 'db.internal', port: 5432, flow: 'f1', timeoutMs: 10_000 }

describe('the dial request', () => {
  test('names host, port, flow and time limit', () => {
    assert.deepEqual(decode(encodeDialRequest(target)), request)
  })

  test('names a second address and the resolvers to ask, where there are any', () => {
    const more = { otherHost: 'fd00::5', resolverIps: ['10.0.0.53', 'fd00::53'] }
    const message = { ...request, other: 'fd00::5', resolvers: ['10.0.0.53', 'fd00::53'] }
    assert.deepEqual(decode(encodeDialRequest({ ...target, ...more })), message)
    assert.deepEqual(parseDialRequest(message), { ...target, ...more })
    assert.deepEqual(parseDialRequest({ ...request, resolvers: [] }), {
      ...target,
      otherHost: undefined,
      resolverIps: [],
    })
  })

  test('comes out as it went in', () => {
    const targets = fc.record(
      {
        host: fc.string({ minLength: 1, maxLength: 253 }),
        port: fc.integer({ min: 1, max: 65_535 }),
        flowId: fc.string({ maxLength: 64 }),
        timeoutMs: fc.integer({ min: 1, max: 600_000 }),
      },
      { noNullPrototype: true },
    )
    fc.assert(fc.property(targets, (each) => assert.deepEqual(parseDialRequest(decode(encodeDialRequest(each))), each)))
  })

  for (const [field, value] of [
    ['host', undefined],
    ['host', ''],
    ['host', 17],
    ['host', 'h'.repeat(254)],
    ['port', 0],
    ['port', 65_536],
    ['port', 1.5],
    ['port', '5432'],
    ['flow', null],
    ['flow', 'f'.repeat(65)],
    ['timeoutMs', 0],
    ['timeoutMs', 600_001],
    ['timeoutMs', undefined],
    ['other', 7],
    ['other', ''],
    ['other', 'f'.repeat(46)],
    ['resolvers', '10.0.0.53'],
    ['resolvers', [53]],
    ['resolvers', ['']],
    ['resolvers', ['f'.repeat(46)]],
    ['resolvers', Array<string>(9).fill('10.0.0.53')],
  ] as const) {
    const given = JSON.stringify(value)?.slice(0, 20) ?? 'nothing'
    test(`is refused with ${field} = ${given}, naming it`, () => {
      const wrong = { code: 'tunnel_protocol_error', message: new RegExp(`dial request: ${field}: expected .*, got`) }
      assert.throws(() => parseDialRequest({ ...request, [field]: value }), wrong)
    })
  }

  test('may hold fields that this version does not know', () => {
    assert.deepEqual(parseDialRequest({ ...request, network: 'later' }), target)
  })
})

describe('the dial reply', () => {
  test('of a success carries the address that answered', () => {
    const reply = decode(encodeDialed('10.0.0.7:5432'))
    assert.deepEqual(reply, { ok: true, remote: '10.0.0.7:5432' })
    assert.equal(parseDialReply(reply), '10.0.0.7:5432')
  })

  test('of a failure carries code and reason, for every code there is', () => {
    for (const code of Object.keys(ERRORS) as ErrorCode[]) {
      const refusal = decode(encodeRefusal(new HawserError(code, 'because')))
      assert.deepEqual(refusal, { ok: false, code, message: 'because' })
      assert.throws(() => parseDialReply(refusal), { code, message: 'because' })
    }
  })

  test('with a code from a newer version becomes destination_unavailable', () => {
    const refusal = { ok: false, code: 'quantum_decoherence', message: 'sorry' }
    assert.throws(() => parseDialReply(refusal), { code: 'destination_unavailable', message: 'sorry' })
  })

  test('with a reason of any length or kind is cut to a thousand characters', () => {
    const long = decode(encodeRefusal(new HawserError('dns_error', 'x'.repeat(50_000))))
    assert.equal(String(long['message']).length, 1_000)
    for (const message of ['y'.repeat(50_000), 17, undefined]) {
      assert.throws(
        () => parseDialReply({ ok: false, code: 'dns_error', message }),
        (error: unknown) => HawserError.is(error, 'dns_error') && error.message.length <= 1_000,
      )
    }
  })

  for (const reply of [{}, { ok: 'yes' }, { ok: true }, { ok: true, remote: 5 }, { op: 'dial' }]) {
    test(`${JSON.stringify(reply)} is no reply`, () => {
      assert.throws(() => parseDialReply(reply), { code: 'tunnel_protocol_error' })
    })
  }
})
