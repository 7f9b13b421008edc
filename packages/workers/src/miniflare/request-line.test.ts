import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRequestLine } from './request-line.ts'

test('a line about a request is read, colours or not', () => {
  const expected = { method: 'GET', path: '/a/b', status: 200, ms: 12 }
  assert.deepEqual(parseRequestLine('GET /a/b 200 OK (12ms)'), expected)
  assert.deepEqual(
    parseRequestLine(
      '\u001B[0m\u001B[1mGET\u001B[22m /a/b \u001B[32m\u001B[1m200\u001B[22m OK \u001B[39m\u001B[90m(12ms)\u001B[39m',
    ),
    expected,
  )
})

test('a status without a name is read too', () => {
  assert.deepEqual(parseRequestLine('POST /x 599  (0ms)'), { method: 'POST', path: '/x', status: 599, ms: 0 })
})

for (const line of ['Ready on http://127.0.0.1:1', 'GET relative 200 OK (1ms)', 'GET /a two OK (1ms)', '']) {
  test(`any other line is none: ${JSON.stringify(line)}`, () => {
    assert.equal(parseRequestLine(line), undefined)
  })
}
