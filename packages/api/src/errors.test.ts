import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERRORS, HawserError } from '@hawser/core'
import type { ErrorCode } from '@hawser/core'
import { answerFor, API_ERRORS, ApiRefusal } from './errors.ts'

test("an error of the caller's own shows its sentence, any other only that it happened", () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const told = answerFor(new HawserError(code, 'the sentence'), {})
    assert.equal(told.message.includes('the sentence'), code === 'conflict' || code === 'options_invalid', code)
    assert.equal(told.status < 500, ['conflict', 'options_invalid', 'not_found', 'unauthorized'].includes(code), code)
  }
})

test('a resource may tell an error in its own way', () => {
  const own = { not_found: { status: 404, code: 1002, message: 'Tunnel not found' } } as const
  assert.deepEqual(answerFor(new HawserError('not_found', 'x'), own), own.not_found)
  const spoken = { conflict: { status: 409, code: 1013, message: '' } } as const
  assert.equal(answerFor(new HawserError('conflict', 'taken'), spoken).message, 'taken')
})

test('a refusal is answered as it was decided', () => {
  assert.equal(answerFor(new ApiRefusal(API_ERRORS.noMethod), {}).code, 10_405)
  assert.equal(answerFor(new ApiRefusal(API_ERRORS.badRequest, 'page: no'), {}).message, 'page: no')
})

test('a refusal is a Hawser error of a fitting code', () => {
  const codes = Object.values(API_ERRORS).map((error) => new ApiRefusal(error, 'x').code)
  assert.ok(codes.includes('unauthorized') && codes.includes('not_found') && codes.includes('conflict'))
  assert.equal(new ApiRefusal(API_ERRORS.otherAccount).code, 'unauthorized')
  assert.equal(new ApiRefusal(API_ERRORS.tooLarge).code, 'options_invalid')
})

test('what is no Hawser error is internal, whatever it looks like', () => {
  for (const thrown of [
    new Error('x'),
    'text',
    undefined,
    null,
    { code: 'not_found' },
    { answer: API_ERRORS.badToken },
  ]) {
    assert.equal(answerFor(thrown, {}), API_ERRORS.internal)
  }
})
