import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deepEqual, equal, ok, rejects, show, throws } from './assert.ts'

const failed = { name: 'AssertionFailed' } as const

test('equal compares as Object.is does, and shows both values', () => {
  equal(Number.NaN, Number.NaN)
  assert.throws(() => equal(0, -0), failed)
  assert.throws(() => equal('a', 'b', 'the letter'), { message: 'the letter: got "a", expected "b"' })
})

test('deepEqual compares objects and arrays by their entries', () => {
  deepEqual({ a: [1, { b: undefined }] }, { a: [1, { b: undefined }] })
  for (const [left, right] of [
    [[1], [2]],
    [[1], [1, 2]],
    [{ a: 1 }, { b: 1 }],
    [{ a: undefined }, { b: undefined }],
    [[], {}],
    [null, {}],
  ]) {
    assert.throws(() => deepEqual(left, right), failed)
  }
})

test('ok takes any value that is there', () => {
  ok(0, 'zero')
  assert.throws(() => ok(undefined, 'nothing there'), { message: 'nothing there' })
})

test('throws checks the name and the message, and gives the error back', () => {
  const error = throws(
    () => {
      throw new RangeError('too far')
    },
    { name: 'RangeError', message: /far/ },
  )
  assert.equal(error.message, 'too far')
  const thrower = (): void => {
    throw new TypeError('x')
  }
  assert.throws(() => throws(thrower, { name: 'RangeError' }), failed)
  assert.throws(() => throws(thrower, { message: 'y' }), failed)
})

test('throws fails when nothing is thrown, or something that is no error', () => {
  assert.throws(() => throws(() => 5, {}), { message: 'nothing was thrown, but 5 returned' })
  const oddity = (): void => {
    // oxlint-disable-next-line typescript/only-throw-error -- it must be told apart from an error
    throw 'text'
  }
  assert.throws(() => throws(oddity, {}), { message: 'got "text", expected an error' })
})

test('rejects does the same for promises', async () => {
  await rejects(Promise.reject(new TypeError('no')), { name: 'TypeError', message: 'no' })
  await assert.rejects(rejects(Promise.resolve(undefined), {}), failed)
  await assert.rejects(rejects(Promise.reject(new TypeError('no')), { message: 'yes' }), failed)
})

test('show writes any value in one line', () => {
  assert.deepEqual(
    [undefined, 1n, Symbol('s'), 'text', { a: undefined }, new Error('e'), new Uint8Array([104, 105])].map(show),
    ['undefined', '1', 'Symbol(s)', '"text"', '{"a":"undefined"}', 'Error: e', 'Uint8Array(2) "hi"'],
  )
  assert.ok(show('x'.repeat(1000)).length < 310)
})
