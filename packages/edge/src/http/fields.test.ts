import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import fc from 'fast-check'
import { hasOption, readFields } from './fields.ts'

/** A header section without its start line. */
const section = (...lines: string[]): string => lines.map((line) => `${line}\r\n`).join('') + '\r\n'
const refused = (text: string): void => {
  assert.throws(
    () => readFields(text, 0),
    (error) => HawserError.is(error, 'http_protocol_error'),
  )
}

test('fields: end-to-end fields travel on as they were written, in their order', () => {
  const { forwarded } = readFields(section('Accept: */*', 'X-Two:  b ', 'x-two: c', 'Cookie: a=b; c=d'), 0)
  assert.equal(forwarded, 'Accept: */*\r\nX-Two:  b \r\nx-two: c\r\nCookie: a=b; c=d\r\n')
})

test('fields: those of one hop stay behind', () => {
  const hop = ['Connection: keep-alive', 'Keep-Alive: timeout=5', 'Proxy-Connection: x', 'TE: trailers', 'Trailer: x']
  const { forwarded } = readFields(section('A: 1', ...hop, 'Transfer-Encoding: chunked', 'Upgrade: h2c', 'B: 2'), 0)
  assert.equal(forwarded, 'A: 1\r\nB: 2\r\n')
})

test('fields: those that Connection names stay behind too, whatever the case', () => {
  const { forwarded } = readFields(section('X-Hop: 1', 'Keep: 2', 'Connection: close, x-hOP', 'x-HOP: 3'), 0)
  assert.equal(forwarded, 'Keep: 2\r\n')
})

test('fields: nothing that begins with hawser- passes, so no target can speak for the edge', () => {
  const { forwarded } = readFields(section('Hawser-Error: dns_error', 'hawser-x: 1', 'HAWSER-: 2', 'Hawser: stays'), 0)
  assert.equal(forwarded, 'Hawser: stays\r\n')
})

test('fields: what they say of the message is read', () => {
  const fields = readFields(
    section(
      'Host: a:1',
      'Content-Length: 42',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Keep-Alive: timeout=7, max=3',
    ),
    0,
  )
  assert.equal(fields.host, 'a:1')
  assert.equal(fields.contentLength, 42)
  assert.equal(fields.upgrade, 'websocket')
  assert.equal(fields.connection, 'upgrade')
  assert.equal(fields.keepAliveSeconds, 7)
  assert.equal(fields.chunked, false)
  assert.equal(fields.forwarded, '')
})

test('fields: an Upgrade that Connection does not name counts for nothing', () => {
  assert.equal(readFields(section('Upgrade: websocket'), 0).upgrade, undefined)
  assert.equal(readFields(section('Upgrade: websocket', 'Connection: close'), 0).upgrade, undefined)
})

test('fields: what two readers could split differently is refused', async (t) => {
  const cases: Record<string, string> = {
    'bare LF': 'A: 1\nB: 2\r\n\r\n',
    'bare CR': 'A: 1\rB: 2\r\n\r\n',
    'a NUL': section('A: \0'),
    'an escape character': section('A: \x1b[0m'),
    folding: section('A: 1', ' 2'),
    'a blank before the colon': section('A : 1'),
    'no colon': section('A'),
    'no name': section(': 1'),
    'a name that is no token': section('A(b): 1'),
    'two lengths': section('Content-Length: 1', 'Content-Length: 1'),
    'a list of lengths': section('Content-Length: 1, 1'),
    'a signed length': section('Content-Length: +1'),
    'a length in hexadecimal': section('Content-Length: 0x1'),
    'an empty length': section('Content-Length:'),
    'a length beyond any body': section('Content-Length: 9999999999999999999'),
    'another transfer coding': section('Transfer-Encoding: gzip, chunked'),
    'chunked twice': section('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
    'a coding that only looks like chunked': section('Transfer-Encoding: xchunked'),
    'two hosts': section('Host: a', 'Host: b'),
  }
  for (const [name, text] of Object.entries(cases)) await t.test(name, () => refused(text))
})

test('fields: bytes beyond ASCII in values survive', () => {
  assert.equal(readFields(section('X: caf\xe9'), 0).forwarded, 'X: caf\xe9\r\n')
})

test('fields: random end-to-end fields all travel, and nothing else does', () => {
  const token = fc.stringMatching(/^[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,12}$/).map((name) => `x-${name}`)
  const value = fc.stringMatching(/^[!-~ ]{0,20}$/)
  fc.assert(
    fc.property(fc.array(fc.tuple(token, value), { maxLength: 12 }), (pairs) => {
      const lines = pairs.map(([name, text]) => `${name}: ${text}`)
      assert.equal(readFields(section(...lines), 0).forwarded, lines.map((line) => `${line}\r\n`).join(''))
    }),
  )
})

test('hasOption: finds one among several, and no part of one', () => {
  assert.equal(hasOption('keep-alive, upgrade', 'upgrade'), true)
  assert.equal(hasOption('close', 'close'), true)
  assert.equal(hasOption('not-close', 'close'), false)
  assert.equal(hasOption('', 'close'), false)
})
