import assert from 'node:assert/strict'
import test from 'node:test'
import { HawserError, Secret } from '@hawser/core'
import type { ErrorCode } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { ApiClient } from './api-client.ts'
import { failed, fakeApi, ok } from './fake-api.ts'
import type { FakeAnswer } from './fake-api.ts'

const token = new Secret('hunter2')

test('a call carries the token and the body, and returns the result', async (t) => {
  assertNoLeaks(t)
  await using api = await fakeApi(() => ok({ id: 'x' }))
  const client = new ApiClient({ base: api.base, token, signal: t.signal })
  assert.deepEqual(await client.call('POST', '/things', { name: 'n' }), { id: 'x' })
  assert.deepEqual(await client.call('GET', '/things'), { id: 'x' })
  assert.deepEqual(api.calls, [
    { method: 'POST', path: '/client/v4/things', authorization: 'Bearer hunter2', body: '{"name":"n"}' },
    { method: 'GET', path: '/client/v4/things', authorization: 'Bearer hunter2', body: '' },
  ])
})

const failures: readonly (readonly [answer: FakeAnswer, code: ErrorCode, says: RegExp])[] = [
  [failed(400, 'name: too short'), 'options_invalid', /^name: too short$/],
  [failed(401, 'who?'), 'unauthorized', /who\?/],
  [failed(403, 'no'), 'unauthorized', /no/],
  [failed(404, 'gone'), 'not_found', /gone/],
  [failed(409, 'a', 'b'), 'conflict', /^a; b$/],
  [failed(429, 'slow down'), 'rate_limited', /slow down/],
  [failed(507, 'no room'), 'storage_failed', /^no room$/],
  [failed(500), 'http_request_error', /^the API answered 500$/],
  [failed(200, 'odd'), 'http_request_error', /odd/],
  [{ status: 200, body: 'not json' }, 'http_protocol_error', /is not a v4 API: status 200$/],
  [{ status: 502, body: '<html>' }, 'http_protocol_error', /status 502/],
  [{ status: 200, body: '' }, 'http_protocol_error', /status 200/],
  [{ status: 200, body: 'null' }, 'http_protocol_error', /v4 API/],
  [{ status: 200, body: { success: true } }, 'http_protocol_error', /v4 API/],
  ['reset', 'edge_unreachable', /^no answer from the API at http:\/\/127/],
]

for (const [answer, code, says] of failures) {
  test(`${JSON.stringify(answer)} is ${code}`, async (t) => {
    assertNoLeaks(t)
    await using api = await fakeApi(() => answer)
    const client = new ApiClient({ base: api.base, token, signal: t.signal })
    await assert.rejects(client.call('GET', '/x'), (error) => {
      assert.ok(HawserError.is(error, code), String(error))
      assert.match(error.message, says)
      assert.doesNotMatch(error.message, /hunter2/)
      return true
    })
  })
}

test('nobody listening is edge_unreachable with the address and the reason', async (t) => {
  assertNoLeaks(t)
  const { base, ...gone } = await fakeApi(() => 'hang')
  await gone[Symbol.asyncDispose]()
  const client = new ApiClient({ base, token, signal: t.signal })
  await assert.rejects(client.call('GET', '/x'), {
    code: 'edge_unreachable',
    message: `no answer from the API at ${base}: ECONNREFUSED`,
  })
})

test('a stop while the API is silent is connection_aborted', async (t) => {
  assertNoLeaks(t)
  const stop = new AbortController()
  await using api = await fakeApi(() => {
    setImmediate(() => stop.abort())
    return 'hang'
  })
  const client = new ApiClient({ base: api.base, token, signal: stop.signal })
  await assert.rejects(client.call('GET', '/x'), { code: 'connection_aborted' })
})

test('the token does not follow a redirect', async (t) => {
  assertNoLeaks(t)
  await using elsewhere = await fakeApi(() => ok({}))
  const { createServer } = await import('node:http')
  const server = createServer((_, response) => {
    response.writeHead(307, { location: elsewhere.base }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  await using _server = server
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const client = new ApiClient({ base: `http://127.0.0.1:${port}`, token, signal: t.signal })
  await assert.rejects(client.call('GET', '/x'), { code: 'edge_unreachable' })
  assert.deepEqual(elsewhere.calls, [])
  server.closeAllConnections()
})
