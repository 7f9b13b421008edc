/** The second argument of `connect()`; the same module runs inside workerd. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseBindingOptions, parseConnectOptions, parseTlsOptions } from './runtime/socket-options.ts'

const DEFAULTS = { secureTransport: 'off', native: { allowHalfOpen: false } } as const

test('nothing, an empty object and an array all mean the defaults', () => {
  for (const options of [undefined, {}, []]) assert.deepEqual(parseConnectOptions(options), DEFAULTS)
})

test('null and primitives are refused', () => {
  for (const options of [null, 'off', 5, true]) assert.throws(() => parseConnectOptions(options), TypeError)
})

test('secureTransport takes exactly its documented values', () => {
  assert.equal(parseConnectOptions({ secureTransport: 'off' }).secureTransport, 'off')
  assert.equal(parseConnectOptions({ secureTransport: 'on' }).secureTransport, 'on')
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

test('allowHalfOpen is coerced, highWaterMark is left to the runtime, the rest is ignored', () => {
  assert.equal(parseConnectOptions({ allowHalfOpen: 'false' }).native.allowHalfOpen, true)
  assert.equal(parseConnectOptions({ allowHalfOpen: 0 }).native.allowHalfOpen, false)
  assert.deepEqual(parseConnectOptions({ highWaterMark: 'abc', sni: 'x', alpn: [] }).native, {
    allowHalfOpen: false,
    highWaterMark: 'abc',
  })
})

test('a binding also takes a signal and a time limit, and checks them', () => {
  const { signal } = new AbortController()
  assert.deepEqual(parseBindingOptions(undefined), { ...DEFAULTS, signal: undefined, timeoutMs: undefined })
  assert.deepEqual(parseBindingOptions({ signal, timeoutMs: 0.5 }), { ...DEFAULTS, signal, timeoutMs: 0.5 })
  for (const value of [null, 'x', {}, 5, new AbortController()]) {
    assert.throws(() => parseBindingOptions({ signal: value }), { name: 'TypeError', message: /"signal"/ })
  }
  for (const value of [null, '5', 0, -5, Number.NaN, Infinity, 2 ** 31, 5n]) {
    assert.throws(() => parseBindingOptions({ timeoutMs: value }), { name: 'TypeError', message: /"timeoutMs"/ })
  }
  assert.throws(() => parseBindingOptions(null), TypeError)
})

test('of the argument of startTls() only the name to verify counts', () => {
  for (const options of [undefined, null, {}, [], { servername: 'x' }, { expectedServerHostname: '' }]) {
    assert.equal(parseTlsOptions(options), undefined)
  }
  assert.equal(parseTlsOptions({ expectedServerHostname: 'db.example', rejectUnauthorized: false }), 'db.example')
  assert.equal(parseTlsOptions({ expectedServerHostname: null }), 'null')
  for (const options of ['db.example', 5, true, 5n]) assert.throws(() => parseTlsOptions(options), TypeError)
})
