/** `env.MY_VPC.fetch()` on real workerd. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { answering, startSite } from './test-site.ts'

const LIMIT = { timeout: 30_000 }

interface Api extends AsyncDisposable {
  readonly port: number
}

async function startApi(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Api> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

test('method, path, query, headers and body reach the target, and its answer comes back', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using api = await startApi((request, response) => {
    void text(request).then((body) => {
      const { method, url, headers } = request
      response.writeHead(201, { 'x-answer': 'yes', 'content-type': 'application/json' })
      response.end(JSON.stringify({ method, url, host: headers.host, custom: headers['x-custom'], body }))
    })
  })
  const source = answering(`
    const response = await env.PRIVATE.fetch('http://api.internal:8080/items?q=1', {
      method: 'PUT', headers: { 'x-custom': 'v' }, body: 'payload',
    })
    return { status: response.status, header: response.headers.get('x-answer'), body: await response.json() }`)
  await using site = await startSite(t, { source })
  site.edge.routes.set('api.internal:8080', { port: api.port })
  assert.deepEqual(await site.json(), {
    status: 201,
    header: 'yes',
    body: { method: 'PUT', url: '/items?q=1', host: 'api.internal:8080', custom: 'v', body: 'payload' },
  })
  assert.equal(site.edge.calls[0]?.target, 'http://api.internal:8080/items?q=1')
})

test('a string, a URL and a Request all name the target', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using api = await startApi((request, response) => response.end(`${request.method} ${request.url}`))
  const source = answering(`
    const url = 'http://api.internal/x'
    const answers = await Promise.all([env.PRIVATE.fetch(url), env.PRIVATE.fetch(new URL(url)), env.PRIVATE.fetch(new Request(url, { method: 'DELETE' }))])
    return Promise.all(answers.map((answer) => answer.text()))`)
  await using site = await startSite(t, { source })
  site.edge.routes.set('api.internal:80', { port: api.port })
  assert.deepEqual(await site.json(), ['GET /x', 'GET /x', 'DELETE /x'])
})

test('a relative URL is a TypeError, and nothing is sent', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = answering(`
    return Promise.all(['/path', 'api.internal/x', '//api.internal/x', ''].map(async (url) => (await attempt(() => env.PRIVATE.fetch(url))).error))`)
  await using site = await startSite(t, { source })
  assert.deepEqual(await site.json(), ['TypeError', 'TypeError', 'TypeError', 'TypeError'])
  assert.deepEqual(site.edge.calls, [])
})

test('an error status of the target is a Response, not an exception', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using api = await startApi((_request, response) => response.writeHead(502).end('from the target'))
  const source = answering(`
    const response = await env.PRIVATE.fetch('http://api.internal/')
    return [response.ok, response.status, await response.text()]`)
  await using site = await startSite(t, { source })
  site.edge.routes.set('api.internal:80', { port: api.port })
  assert.deepEqual(await site.json(), [false, 502, 'from the target'])
})

test('what the edge cannot deliver is thrown as a ProxyError with code, flow and cause', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = answering(`
    try {
      await env.PRIVATE.fetch('http://api.internal/')
    } catch (error) {
      return { text: String(error), keys: Object.keys(error), code: error.code, flow: error.flow, cause: error.cause.message }
    }`)
  await using site = await startSite(t, { source })
  site.edge.routes.set('api.internal:80', { code: 'tls_certificate_error', message: 'the certificate has expired' })
  assert.deepEqual(await site.json(), {
    text: 'Error: ProxyError: tls_certificate_error',
    keys: ['code', 'flow'],
    code: 'tls_certificate_error',
    flow: 'flow-1',
    cause: 'the certificate has expired',
  })
})

test('a redirect is followed inside the binding, or handed out, as asked', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using api = await startApi((request, response) => {
    if (request.url === '/old') response.writeHead(302, { location: 'http://other.internal/new' }).end()
    else response.end(`at ${request.headers.host}${request.url}`)
  })
  const source = answering(`
    const followed = await env.PRIVATE.fetch('http://api.internal/old')
    const manual = await env.PRIVATE.fetch('http://api.internal/old', { redirect: 'manual' })
    return [followed.url, followed.redirected, await followed.text(), manual.status, manual.headers.get('location')]`)
  await using site = await startSite(t, { source })
  site.edge.routes.set('api.internal:80', { port: api.port })
  site.edge.routes.set('other.internal:80', { port: api.port })
  const expected = ['http://other.internal/new', true, 'at other.internal/new', 302, 'http://other.internal/new']
  assert.deepEqual(await site.json(), expected)
  assert.ok(site.edge.calls.every(({ binding }) => binding === 'PRIVATE'))
})

test('bodies stream both ways, and a response can be returned as it is', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using api = await startApi((request, response) => request.pipe(response))
  const source = `
    export default {
      fetch: (request, env) => env.PRIVATE.fetch('http://api.internal/', { method: 'POST', body: request.body }),
    }`
  await using site = await startSite(t, { source })
  site.edge.routes.set('api.internal:80', { port: api.port })
  const size = 8 * 1024 * 1024
  const response = await site.worker.fetch('/', { method: 'POST', body: new Uint8Array(size).fill(7) })
  const body = new Uint8Array(await response.arrayBuffer())
  assert.equal(body.length, size)
  assert.ok(body.every((byte) => byte === 7))
})

test('an aborted signal ends the call', LIMIT, async (t) => {
  assertNoLeaks(t)
  const arrived = Promise.withResolvers<void>()
  await using api = await startApi(() => arrived.resolve()) // never answers
  const source = answering(`
    const controller = new AbortController()
    const calling = attempt(() => env.PRIVATE.fetch('http://api.internal/', { signal: controller.signal }))
    await scheduler.wait(20)
    controller.abort()
    return (await calling).error`)
  await using site = await startSite(t, { source })
  site.edge.routes.set('api.internal:80', { port: api.port })
  assert.equal(await site.json(), 'AbortError')
  await arrived.promise
})

test('a target that refuses a WebSocket answers with a Response', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using api = await startApi((_request, response) => response.writeHead(426).end())
  const source = answering(`
    const response = await env.PRIVATE.fetch('http://api.internal/', { headers: { upgrade: 'websocket' } })
    return [response.status, response.webSocket === null || response.webSocket === undefined]`)
  await using site = await startSite(t, { source })
  site.edge.routes.set('api.internal:80', { port: api.port })
  assert.deepEqual(await site.json(), [426, true])
})
