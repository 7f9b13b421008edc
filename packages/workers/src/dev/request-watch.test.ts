import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RequestWatch } from './request-watch.ts'
import type { EndedRequest } from './request-watch.ts'

const GET = 'GET /a?secret=1 HTTP/1.1\r\nHost: x\r\n\r\n'
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** A watched connection, and what was reported of it: method, path, status and outcome. */
function watched(since?: number) {
  const reports: EndedRequest[] = []
  const watch = new RequestWatch((request) => reports.push(request), since)
  return {
    watch,
    reports,
    ask: (text: string): void => watch.received(Buffer.from(text)),
    answer: (text: string): void => watch.sent(Buffer.from(text)),
    seen: (): string[] =>
      reports.map(({ method, path, status, outcome }) => `${method} ${path} ${status ?? '-'} ${outcome}`),
  }
}

test('a request is reported once its answer is whole, without its query', () => {
  const { ask, answer, seen } = watched()
  ask(GET)
  answer(OK.slice(0, -1))
  assert.deepEqual(seen(), [])
  answer('k')
  assert.deepEqual(seen(), ['GET /a 200 ok'])
})

test('requests that are sent ahead are answered in their order', () => {
  const { ask, answer, seen, watch } = watched()
  ask(`${GET}HEAD /b HTTP/1.1\r\n\r\nPOST /c HTTP/1.1\r\nContent-Length: 1\r\n\r\nx${GET}`)
  answer(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n`)
  watch.clientGone()
  watch.answersEnded()
  assert.deepEqual(seen(), ['GET /a 200 ok', 'HEAD /b 200 ok', 'POST /c 204 ok', 'GET /a - aborted'])
})

for (const [what, given, expected] of [
  ['a client that goes before there is an answer', [], 'GET /a - aborted'],
  ['a client that goes in the middle of one', ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nxx'], 'GET /a 200 aborted'],
] as const) {
  test(`${what} has given its request up`, () => {
    const { ask, answer, seen, watch } = watched()
    ask(GET)
    for (const text of given) answer(text)
    watch.clientGone()
    answer(OK)
    watch.answersEnded()
    assert.deepEqual(seen(), [expected])
  })
}

for (const [what, given, expected] of [
  ['no answer at all', '', 'GET /a - error'],
  ['half an answer', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab', 'GET /a 200 error'],
  ['an answer that only the end of the connection ends', 'HTTP/1.1 200 OK\r\n\r\nall of it', 'GET /a 200 ok'],
] as const) {
  test(`the end of the connection after ${what}`, () => {
    const { ask, answer, seen, watch } = watched()
    ask(GET)
    answer(given)
    watch.answersEnded()
    watch.clientGone()
    assert.deepEqual(seen(), [expected])
  })
}

test('an interim answer is none', () => {
  const { ask, answer, seen } = watched()
  ask('POST /up HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n')
  answer('HTTP/1.1 100 Continue\r\n\r\n')
  assert.deepEqual(seen(), [])
  ask('data')
  answer('HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n')
  assert.deepEqual(seen(), ['POST /up 304 ok'])
})

test('a WebSocket is reported when it opens, and what it carries is no request', () => {
  const { ask, answer, seen, watch } = watched()
  ask('GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n')
  answer('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n')
  assert.deepEqual(seen(), ['GET /ws 101 ok'])
  ask(GET)
  answer(OK)
  watch.clientGone()
  assert.deepEqual(seen(), ['GET /ws 101 ok'])
})

test('of a request with a host in its line the path is told', () => {
  const { ask, answer, seen } = watched()
  ask('GET http://shop.example?x HTTP/1.1\r\n\r\nGET https://shop.example/a/b#c HTTP/1.1\r\n\r\n')
  answer(OK + OK)
  assert.deepEqual(seen(), ['GET / 200 ok', 'GET /a/b 200 ok'])
})

test('what is no HTTP is not reported', () => {
  const { ask, answer, seen, watch } = watched()
  ask('\u0016\u0003\u0001 TLS hello\r\n\r\n')
  answer('SSH-2.0\r\n\r\n')
  watch.answersEnded()
  assert.deepEqual(seen(), [])
})

test('a refusal is an answer to every request that comes', () => {
  const { ask, seen, watch } = watched()
  watch.refuse(503)
  ask(GET + GET)
  watch.refuse(503)
  assert.deepEqual(seen(), ['GET /a 503 ok', 'GET /a 503 ok'])
})

test('the time that the first request has waited counts', () => {
  const { ask, answer, reports } = watched(performance.now() - 5_000)
  ask(GET)
  answer(OK)
  ask(GET)
  answer(OK)
  assert.ok((reports[0]?.ms ?? 0) >= 5_000)
  assert.ok((reports[1]?.ms ?? 9_999) < 5_000)
})
