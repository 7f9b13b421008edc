import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import fc from 'fast-check'
import { checkName, MAX_NAME_LENGTH } from './names.ts'

test('a good name is given back as it is', () => {
  for (const name of [
    'a',
    'lab 2',
    'Büro Köln',
    '東京',
    '🚢',
    'x'.repeat(MAX_NAME_LENGTH),
    "o'brien",
    '<b>',
    '"',
    '\\',
  ]) {
    assert.equal(checkName(name, 'name'), name)
  }
})

test('the message names the field and the rule, and does not repeat what cannot be printed', () => {
  const message = (name: string): string => {
    try {
      checkName(name, 'tunnel name')
      return 'accepted'
    } catch (error) {
      assert.ok(HawserError.is(error, 'options_invalid'))
      return error.message
    }
  }
  assert.equal(message(''), 'tunnel name: must not be empty')
  assert.equal(message('\n'), 'tunnel name: must not be empty')
  assert.equal(message('🚢'.repeat(101)), 'tunnel name: must have at most 100 characters, got 101')
  assert.equal(message('a\u001b[2Jb'), 'tunnel name: must not contain control characters')
  assert.equal(message('a\u2028b'), 'tunnel name: must not contain control characters')
  assert.equal(message('a '), 'tunnel name: must not begin or end with a blank')
})

test('whatever is accepted prints on one line and is stored without loss', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 120 }), (name) => {
      try {
        checkName(name, 'name')
      } catch (error) {
        if (HawserError.is(error, 'options_invalid')) return
        throw error
      }
      assert.doesNotMatch(name, /[\p{Cc}\p{Cf}]/u)
      assert.equal(Buffer.from(name).toString(), name)
      assert.equal(name.trim(), name)
      assert.ok(name.length > 0 && Array.from(name).length <= MAX_NAME_LENGTH)
    }),
    { numRuns: 2_000 },
  )
})
