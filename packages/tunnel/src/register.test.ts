import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HawserError } from '@hawser/core'
import { MessageDecoder, parseMessage } from './messages.ts'
import { encodeRefusal } from './refusal.ts'
import type { Message } from './messages.ts'
import { encodeAccepted, encodeRegistration, parseAccepted, parseRegistration } from './register.ts'

function decode(bytes: Buffer): Message {
  const decoder = new MessageDecoder()
  decoder.push(bytes)
  assert.ok(decoder.message !== undefined)
  return parseMessage(decoder.message)
}

const connector = { id: 'c-1', version: '0.1.0', hostname: 'büro', platform: 'linux-x64' }
const registration = { tunnelId: '8f2f1a3e-52a2-4b53-9c53-000000000001', connector, weight: 50, proof: 'cHJvb2Y=' }
const message: Message = {
  op: 'register',
  tunnel: registration.tunnelId,
  connector,
  weight: 50,
  proof: registration.proof,
}

describe('the registration', () => {
  test('says which tunnel, which connector, and proves it', () => {
    assert.deepEqual(decode(encodeRegistration(registration)), message)
    assert.deepEqual(parseRegistration(message), registration)
  })

  test('without a weight has the greatest', () => {
    assert.equal(parseRegistration({ ...message, weight: undefined }).weight, 100)
  })

  test('has to be the first message', () => {
    assert.throws(() => parseRegistration({ ...message, op: 'dial' }), { code: 'tunnel_protocol_error' })
    assert.throws(() => parseRegistration({}), { code: 'tunnel_protocol_error' })
  })

  for (const [field, wrong] of [
    ['tunnel', { tunnel: undefined }],
    ['tunnel', { tunnel: '' }],
    ['tunnel', { tunnel: 'a\0b' }],
    ['tunnel', { tunnel: 'x'.repeat(65) }],
    ['weight', { weight: -1 }],
    ['weight', { weight: 101 }],
    ['weight', { weight: 1.5 }],
    ['weight', { weight: '7' }],
    ['proof', { proof: 17 }],
    ['proof', { proof: 'x'.repeat(256) }],
    ['id', { connector: { ...connector, id: 'two words' } }],
    ['hostname', { connector: { ...connector, hostname: '\u001b[31mred' } }],
    ['version', { connector: { ...connector, version: '' } }],
    ['platform', { connector: { id: 'c', version: 'v', hostname: 'h' } }],
    ['id', { connector: null }],
    ['id', { connector: 'c-1' }],
  ] as const) {
    test(`is refused, naming ${field}, with ${JSON.stringify(wrong).slice(0, 60)}`, () => {
      const error = { code: 'tunnel_protocol_error', message: new RegExp(`^registration: ${field}: `) }
      assert.throws(() => parseRegistration({ ...message, ...wrong }), error)
    })
  }
})

describe('the reply to a registration', () => {
  test('names the edge', () => {
    const reply = decode(encodeAccepted('edge-7'))
    assert.deepEqual(reply, { ok: true, edge: 'edge-7' })
    assert.equal(parseAccepted(reply), 'edge-7')
  })

  test('carries the code of the refusal', () => {
    const refusal = decode(encodeRefusal(new HawserError('tunnel_auth_failed', 'no')))
    assert.throws(() => parseAccepted(refusal), { code: 'tunnel_auth_failed', message: 'no' })
    assert.throws(() => parseAccepted({ ok: false, code: 'unheard_of' }), { code: 'tunnel_protocol_error' })
    assert.throws(() => parseAccepted({ ok: true }), { code: 'tunnel_protocol_error' })
    assert.throws(() => parseAccepted({}), { code: 'tunnel_protocol_error' })
  })
})
