import assert from 'node:assert/strict'
import { relative } from 'node:path'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import { formatPath, JsoncFile } from './jsonc-file.ts'

const PATH = '/project/hawser.jsonc'
const NAME = relative('', PATH)

test('a value knows where it stands, a missing one where it would', () => {
  const file = new JsoncFile(PATH, '{\n  // one\n  "a": [ 1, { "b": "c" } ],\n}')
  assert.deepEqual(file.value, { a: [1, { b: 'c' }] })
  assert.equal(file.locate(['a', 1, 'b']), `${NAME}:3:20`)
  assert.equal(file.locate(['a', 1, 'x']), `${NAME}:3:13`)
  assert.equal(file.locate(['x']), `${NAME}:1:1`)
  assert.equal(file.locateKey(['a', 1], 'b'), `${NAME}:3:15`)
})

test('paths are written as in JavaScript', () => {
  assert.equal(formatPath(['tls', 0, 'match']), 'tls[0].match')
  assert.equal(formatPath(['hosts', '10.0.1.50']), "hosts['10.0.1.50']")
  assert.equal(formatPath([]), '')
})

test('values are shown short and without secrets', () => {
  const file = new JsoncFile(
    PATH,
    `{ "long": "${'x'.repeat(500)}", "token": "t", "in": { "token": 1 }, "t": "eyJhIjoi" }`,
  )
  assert.equal(file.show(['long']), `"${'x'.repeat(119)}…`)
  assert.equal(file.show(['token']), '[secret]')
  assert.equal(file.show(['in']), '{"token":"[secret]"}')
  assert.equal(file.show(['t']), '"[secret]"')
  assert.equal(file.show(['none']), 'nothing')
})

/** What is wrong → what is said of it, after the file's name. */
const BAD: readonly [text: string, said: string][] = [
  ['', ':1:1: expected a value, got the end of the file'],
  ['   \n', ':2:1: expected a value, got the end of the file'],
  ['{', ':1:2: expected "}", got the end of the file'],
  ['{ "a": [1 }', ':1:11: expected "," or the closing bracket, got }'],
  ['{ "a" 1 }', ':1:7: expected ":", got 1'],
  ['{ "a": 1 "b": 2 }', ':1:10: expected "," or the closing bracket, got "b'],
  ['{ "a": 1,, }', ':1:10: expected a key in double quotes, got ,'],
  ["{ 'a': 1 }", ":1:3: expected JSON, where names and texts stand in double quotes, got '"],
  ['{ "a": yes }', ':1:8: expected JSON, where names and texts stand in double quotes, got yes'],
  ['{ "a": "b }', ':1:8: expected the end of the text, ", got "b'],
  ['{ "a": "eyJhIjoiMDAwMDAwMDAwMDAwMDA }', ':1:8: expected the end of the text, ", got [secret]'],
  ['{ "a": "\\x" }', ':1:8: expected an escape that JSON has: \\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0000, got "'],
  ['{ "a": "\\u12" }', ':1:8: expected four hexadecimal digits after \\u, got "'],
  ['{ /* a', ':1:3: expected the end of the comment, */, got /'],
  ['{} {}', ':1:4: expected the end of the file, got {'],
  ['{ "a": 1, "b": { "c": 1, "c": 2 } }', ':1:26: expected each key once, got "c" again'],
  ['5', ':1:1: expected an object, { … }, got 5'],
  ['null', ':1:1: expected an object, { … }, got null'],
]

for (const [text, said] of BAD) {
  test(`${JSON.stringify(text)} is refused in words, with its place`, () => {
    assert.throws(
      () => new JsoncFile(PATH, text),
      (error) => {
        assert.ok(HawserError.is(error, 'config_invalid'))
        assert.equal(error.message, `${NAME}${said}`)
        return true
      },
    )
  })
}
