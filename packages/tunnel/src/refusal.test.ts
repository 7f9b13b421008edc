import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import { MESSAGE_LENGTH_BYTES, parseMessage } from './messages.ts'
import { encodeRefusal, refusalOf, unknownOperation } from './refusal.ts'

test('a refusal carries code and reason', () => {
  const message = parseMessage(encodeRefusal(new HawserError('dns_error', 'because')).subarray(MESSAGE_LENGTH_BYTES))
  assert.deepEqual(message, { ok: false, code: 'dns_error', message: 'because' })
  const error = refusalOf(message, 'tunnel_protocol_error')
  assert.deepEqual([error.code, error.message], ['dns_error', 'because'])
})

test('a reason of any length or kind is cut to a thousand characters', () => {
  const long = encodeRefusal(new HawserError('dns_error', 'x'.repeat(50_000))).subarray(MESSAGE_LENGTH_BYTES)
  assert.equal(String(parseMessage(long)['message']).length, 1_000)
  for (const message of ['y'.repeat(50_000), 17, undefined]) {
    const error = refusalOf({ ok: false, code: 'dns_error', message }, 'tunnel_protocol_error')
    assert.ok(error.code === 'dns_error' && error.message.length <= 1_000)
  }
})

test('an unknown code is what the caller makes of it, and what is no refusal is said to be none', () => {
  for (const unknown of ['destination_unavailable', 'tunnel_protocol_error'] as const) {
    assert.equal(refusalOf({ ok: false, code: 'later', message: 'sorry' }, unknown).code, unknown)
  }
  const none = refusalOf({ ok: 'yes' }, 'destination_unavailable')
  assert.deepEqual([none.code, none.message], ['tunnel_protocol_error', 'the reply is neither a success nor a refusal'])
})

test('an unknown operation is shown, shortened', () => {
  assert.equal(unknownOperation('resolve').message, 'unknown operation "resolve"')
  assert.equal(unknownOperation(undefined).message, 'unknown operation none')
  assert.ok(unknownOperation('x'.repeat(5_000)).message.length < 150)
})
