import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requestFraming, responseFraming } from './body-reader.ts'
import { parseRequestHead, parseResponseHead } from './head.ts'
import { parseRequestUrl } from './request-url.ts'
import { requestText, responseText, upgradeText } from './wire.ts'

const request = (...lines: string[]): string => {
  const head = parseRequestHead(`${lines.join('\r\n')}\r\n\r\n`)
  return requestText(head, parseRequestUrl(head.target), requestFraming(head))
}
const response = (method: string, ...lines: string[]): string => {
  const head = parseResponseHead(`${lines.join('\r\n')}\r\n\r\n`)
  return responseText(head, responseFraming(method, head))
}

test('request text: origin form, Host from the URL, nothing added', () => {
  assert.equal(
    request('GET http://Db.internal:81/a?b HTTP/1.1', 'Accept: x'),
    'GET /a?b HTTP/1.1\r\nHost: Db.internal:81\r\nAccept: x\r\n\r\n',
  )
})

test('request text: a Host that came along is replaced', () => {
  assert.equal(request('GET http://a/ HTTP/1.1', 'Host: evil'), 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
})

test('request text: the framing of the body is kept', () => {
  assert.match(request('POST http://a/ HTTP/1.1', 'content-length: 5'), /\r\nContent-Length: 5\r\n\r\n$/)
  assert.match(request('POST http://a/ HTTP/1.1', 'content-length: 0'), /\r\nContent-Length: 0\r\n\r\n$/)
  assert.match(
    request('POST http://a/ HTTP/1.1', 'transfer-encoding: chunked'),
    /\r\nTransfer-Encoding: chunked\r\n\r\n$/,
  )
})

test('request text: an upgrade is asked for on this hop too', () => {
  const text = request('GET http://a/ HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: k')
  assert.equal(
    text,
    'GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: k\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
})

test('response text: framing of this hop', async (t) => {
  const cases: readonly [name: string, method: string, lines: string[], expected: string][] = [
    ['a length', 'GET', ['HTTP/1.1 200 OK', 'content-length: 3'], 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n'],
    ['no body', 'GET', ['HTTP/1.1 200 OK', 'content-length: 0'], 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
    [
      'chunked',
      'GET',
      ['HTTP/1.1 200 OK', 'transfer-encoding: chunked'],
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
    ['until the end', 'GET', ['HTTP/1.0 200 OK'], 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    [
      'both',
      'GET',
      ['HTTP/1.1 200 OK', 'content-length: 3', 'transfer-encoding: chunked'],
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
    [
      'HEAD with a length',
      'HEAD',
      ['HTTP/1.1 200 OK', 'content-length: 3'],
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n',
    ],
    ['HEAD without', 'HEAD', ['HTTP/1.1 200 OK'], 'HTTP/1.1 200 OK\r\n\r\n'],
    [
      '304',
      'GET',
      ['HTTP/1.1 304 Not Modified', 'etag: x', 'content-length: 3'],
      'HTTP/1.1 304 Not Modified\r\netag: x\r\nContent-Length: 3\r\n\r\n',
    ],
    ['204', 'GET', ['HTTP/1.1 204 No Content', 'content-length: 0'], 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['100', 'GET', ['HTTP/1.1 100 Continue'], 'HTTP/1.1 100 Continue\r\n\r\n'],
  ]
  for (const [name, method, lines, expected] of cases)
    await t.test(name, () => assert.equal(response(method, ...lines), expected))
})

test('upgrade text: says on this hop what the target said on its own', () => {
  const head = parseResponseHead(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX: 1\r\n\r\n',
  )
  assert.equal(
    upgradeText(head),
    'HTTP/1.1 101 Switching Protocols\r\nX: 1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
})
