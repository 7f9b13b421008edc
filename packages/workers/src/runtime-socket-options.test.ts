/** The second argument of `connect()`; the same module runs inside workerd. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConnectOptions } from './runtime/socket-options.ts'

const DEFAULTS = { secureTransport: 'off', native: { allowHalfOpen: false } } as const

test('nothing, an empty object and an array all mean the defaults', () => {
  for (const options of [undefined, {}, []]) assert.deepEqual(parseConnectOptions(options), DEFAULTS)
})

test('null and primitives are refused', () => {
  for (const options of [null, 'off', 5, true]) assert.throws(() => parseConnectOptions(options), TypeError)
})

test('secureTransport takes exactly its documented values', () => {
  assert.equal(parseConnectOptions({ secureTransport: 'off' }).secureTransport, 'off')
  assert.equal(parseConnectOptions({ secureTransport: 'starttls' }).secureTransport, 'starttls')
  assert.equal(parseConnectOptions({ secureTransport: undefined }).secureTransport, 'off')
  for (const [value, text] of [
    ['OFF', 'OFF'],
    ['use', 'use'],
    ['', ''],
    [null, 'null'],
    [1, '1'],
    [true, 'true'],
    ['startTls', 'startTls'],
  ]) {
    assert.throws(() => parseConnectOptions({ secureTransport: value }), {
      name: 'TypeError',
      message: `Unsupported value in secureTransport socket option: ${text}`,
    })
  }
})

test('TLS from the start is refused with what to do instead', () => {
  assert.throws(() => parseConnectOptions({ secureTransport: 'on' }), {
    name: 'TypeError',
    message: /plain TCP.*fetch\(\)/,
  })
})

test('allowHalfOpen is coerced, highWaterMark is left to the runtime, the rest is ignored', () => {
  assert.equal(parseConnectOptions({ allowHalfOpen: 'false' }).native.allowHalfOpen, true)
  assert.equal(parseConnectOptions({ allowHalfOpen: 0 }).native.allowHalfOpen, false)
  assert.deepEqual(parseConnectOptions({ highWaterMark: 'abc', sni: 'x', alpn: [] }).native, {
    allowHalfOpen: false,
    highWaterMark: 'abc',
  })
})
