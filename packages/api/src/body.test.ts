import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import fc from 'fast-check'
import { MAX_BODY_BYTES } from './body.ts'
import { API_BASE } from './app.ts'
import { apiFixture, codeOf, taken } from './fixture.ts'
import type { Fixture } from './fixture.ts'

/** The API, with its log at hand and a check that nothing stays open. */
function fixtureFor(t: TestContext): Promise<Fixture<CapturedLog>> {
  assertNoLeaks(t)
  return apiFixture(t, new CapturedLog())
}

test('JSON is taken under the names that the known clients give it', async (t) => {
  const { call, account } = await fixtureFor(t)
  const types = ['application/json', 'Application/JSON; charset=UTF-8', 'text/plain;charset=UTF-8', 'text/plain']
  for (const [at, type] of [...types, 'application/merge-patch+json', 'application/json; charset="utf-8"'].entries()) {
    const answered = await call('POST', `${account}/cfd_tunnel`, { name: `t${at}` }, { 'content-type': type })
    assert.equal(answered.status, 200, type)
  }
})

test('other types and encodings are refused', async (t) => {
  const { call, account } = await fixtureFor(t)
  const types = ['multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'application/octet-stream', '']
  for (const type of [...types, 'application/xml', 'text/html', 'application/json; charset=utf-16', 'json', '+json']) {
    const answered = await call('POST', `${account}/cfd_tunnel`, { name: 'x' }, { 'content-type': type })
    assert.equal(codeOf(answered), '415/10415', type)
  }
})

test('what is no JSON is refused without being quoted', async (t) => {
  const { call, account } = await fixtureFor(t)
  for (const body of [
    '',
    '{',
    '{"tunnel_secret": hunter2}',
    "{'name':'x'}",
    'NaN',
    '{"name":"x"}}',
    '\ufeff{',
    '{"a":1,}',
  ]) {
    const answered = await call('POST', `${account}/cfd_tunnel`, body)
    assert.equal(codeOf(answered), '400/10400', body)
    assert.equal(answered.body.errors[0]?.message, 'The request body is not valid JSON')
  }
})

test('a body is cut off at its limit, announced or not', async (t) => {
  const { app, call, account, token } = await fixtureFor(t)
  const filler = MAX_BODY_BYTES - JSON.stringify({ name: 'x', filler: '' }).length
  const fits = { name: 'x', filler: 'f'.repeat(filler) }
  assert.equal((await call('POST', `${account}/cfd_tunnel`, fits)).status, 200)
  const tooLong = { name: 'y', filler: 'f'.repeat(filler + 1) }
  assert.equal(codeOf(await call('POST', `${account}/cfd_tunnel`, tooLong)), '413/10413')

  let pulled = 0
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled += 1
      controller.enqueue(new Uint8Array(16 * 1024).fill(0x20))
    },
  })
  const headers = { authorization: `Bearer ${token}`, 'content-length': '2' }
  const init = { method: 'POST', headers, body: endless, duplex: 'half' as const }
  const answered = await taken(await app.request(`${API_BASE}${account}/cfd_tunnel`, init))
  assert.equal(codeOf(answered), '413/10413')
  assert.ok(pulled < 10, `${pulled} chunks were read`)
})

test('JSON that is small and deep or wide is answered, not suffered', async (t) => {
  const { call, account } = await fixtureFor(t)
  const half = MAX_BODY_BYTES / 2
  const deepName = `{"name":${'['.repeat(half - 10)}${']'.repeat(half - 10)}}`
  const wide = `{${Array.from({ length: 6_000 }, (_, at) => `"${at}":1`).join()}}`
  for (const body of ['['.repeat(half) + ']'.repeat(half), deepName, wide, `{"name":1e${'9'.repeat(1_000)}}`]) {
    assert.equal(codeOf(await call('POST', `${account}/cfd_tunnel`, body)), '400/10400')
  }
})

test('a body that breaks off is the sender’s fault', async (t) => {
  const { app, account, token, log } = await fixtureFor(t)
  const broken = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Buffer.from('{"name":'))
      controller.error(new Error('gone'))
    },
  })
  const headers = { authorization: `Bearer ${token}` }
  const init = { method: 'POST', headers, body: broken, duplex: 'half' as const }
  const answered = await taken(await app.request(`${API_BASE}${account}/cfd_tunnel`, init))
  assert.equal(codeOf(answered), '400/10400')
  assert.deepEqual(log.lines, [])
})

test('bytes that are not UTF-8 are refused', async (t) => {
  const { app, account, token } = await fixtureFor(t)
  const body = Buffer.concat([Buffer.from('{"name":"'), Buffer.of(0xff, 0xfe), Buffer.from('"}')])
  const init: RequestInit = { method: 'POST', headers: { authorization: `Bearer ${token}` }, body }
  assert.equal(codeOf(await taken(await app.request(`${API_BASE}${account}/cfd_tunnel`, init))), '415/10415')
})

test('whatever is sent, the answer is in the envelope and nothing is logged', async (t) => {
  const { call, account, log } = await fixtureFor(t)
  const body = fc.oneof(
    fc.json(),
    fc.string({ unit: 'grapheme' }),
    fc.jsonValue().map((value) => JSON.stringify({ name: value })),
  )
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom('POST', 'PATCH', 'DELETE', 'GET'), async (text, method) => {
      const sent = method === 'GET' ? undefined : text
      const answered = await call(method, `${account}/cfd_tunnel`, sent)
      assert.ok(answered.status < 500, answered.text)
    }),
    { numRuns: 300 },
  )
  assert.deepEqual(log.lines, [])
})
