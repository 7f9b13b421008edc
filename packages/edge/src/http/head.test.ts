import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import fc from 'fast-check'
import { HeadReader, parseRequestHead, parseResponseHead } from './head.ts'

const isProtocolError = (error: unknown): boolean => HawserError.is(error, 'http_protocol_error')

test('head reader: finds the end wherever the bytes are cut, and says where the rest begins', () => {
  const text = 'GET / HTTP/1.1\r\nA: 1\r\n\r\n'
  const bytes = Buffer.from(`${text}rest`)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 6 }), (cuts) => {
      const reader = new HeadReader()
      const points = [0, ...new Set(cuts.toSorted((a, b) => a - b)), bytes.length]
      for (const [at, start] of points.slice(0, -1).entries()) {
        const chunk = bytes.subarray(start, points[at + 1])
        const found = reader.read(chunk, 0)
        assert.equal(reader.started, found === undefined)
        if (found === undefined) continue
        assert.equal(found.text, text)
        assert.equal(start + found.next, text.length)
        return
      }
      assert.fail('no end found')
    }),
  )
})

test('head reader: begins where it is told to, for a second section in one chunk', () => {
  const reader = new HeadReader()
  const bytes = Buffer.from('A\r\n\r\nB\r\n\r\n')
  const first = reader.read(bytes, 0)
  assert.deepEqual(first, { text: 'A\r\n\r\n', next: 5 })
  assert.deepEqual(reader.read(bytes, 5), { text: 'B\r\n\r\n', next: 10 })
})

test('head reader: holds no more than its limit, ended or not', () => {
  assert.throws(() => new HeadReader(64).read(Buffer.alloc(65, 'a'), 0), isProtocolError)
  assert.throws(() => new HeadReader(64).read(Buffer.from(`${'a'.repeat(61)}\r\n\r\n`), 0), isProtocolError)
  assert.notEqual(new HeadReader(64).read(Buffer.from(`${'a'.repeat(60)}\r\n\r\n`), 0), undefined)
  const trickle = new HeadReader(64)
  assert.throws(() => {
    for (;;) assert.equal(trickle.read(Buffer.from('a'), 0), undefined)
  }, isProtocolError)
})

test('request head: method, target and fields', () => {
  const head = parseRequestHead('POST http://a/b?c HTTP/1.1\r\nContent-Length: 3\r\nA: 1\r\n\r\n')
  assert.equal(head.method, 'POST')
  assert.equal(head.target, 'http://a/b?c')
  assert.equal(head.fields.contentLength, 3)
  assert.equal(head.fields.forwarded, 'A: 1\r\n')
})

test('request head: what is no request of HTTP/1.x is refused', () => {
  for (const line of [
    '',
    'GET',
    'GET /',
    'GET  / HTTP/1.1',
    'GET / HTTP/2.0',
    'GET / http/1.1',
    'GET / HTTP/1.1 ',
    'G(T / HTTP/1.1',
    'GET /a b HTTP/1.1',
    'PRI * HTTP/2.0',
    'SSH-2.0-OpenSSH_9.6',
  ]) {
    assert.throws(() => parseRequestHead(`${line}\r\n\r\n`), isProtocolError, line)
  }
})

test('request head: both framings at once are refused', () => {
  const both = 'GET / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n'
  assert.throws(() => parseRequestHead(both), isProtocolError)
})

test('response head: status, reason and version, with and without a reason', () => {
  const { status, reason, minorVersion } = parseResponseHead('HTTP/1.0 404 Not Found\r\n\r\n')
  assert.deepEqual([status, reason, minorVersion], [404, 'Not Found', 0])
  assert.equal(parseResponseHead('HTTP/1.1 200\r\n\r\n').reason, '')
  assert.equal(parseResponseHead('HTTP/1.1 200 \r\n\r\n').reason, '')
  assert.equal(parseResponseHead('HTTP/1.1 200 d\xe9j\xe0\r\n\r\n').reason, 'd\xe9j\xe0')
})

test('response head: what is no status line is refused', () => {
  for (const line of [
    'HTTP/1.1',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 099 X',
    'HTTP/1.1 2000 X',
    'HTTP/2 200 OK',
    'ICY 200 OK',
    '+PONG',
  ]) {
    assert.throws(() => parseResponseHead(`${line}\r\n\r\n`), isProtocolError, line)
  }
})
