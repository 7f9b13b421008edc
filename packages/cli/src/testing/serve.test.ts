import assert, { AssertionError } from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { HawserError } from '@hawser/core'
import { assertNoLeaks, createAuthority } from '@hawser/testkit'
import { devProject } from '../test-dev.ts'
import type { Hawser, HawserOptions } from './hawser.ts'
import type { ServiceHandler } from './service-handler.ts'
import { startHawser } from './start-hawser.ts'

const LIMIT = { timeout: 120_000 }

/** `/tcp?say=…&to=…` says something to an address and answers with all it is told; `/http?url=…` passes an answer on. */
const WORKER = `
import { connect } from 'cloudflare:sockets'
const held = []
export default {
  async fetch(request, env) {
    const url = new URL(request.url)
    const [via, to, say] = ['via', 'to', 'say'].map((name) => url.searchParams.get(name))
    try {
      if (url.pathname === '/http') return await env[via].fetch(to)
      const socket = via === null ? connect(to) : env[via].connect(to)
      const writer = socket.writable.getWriter()
      await writer.write(new TextEncoder().encode(say))
      if (url.pathname === '/hold') {
        held.push(socket)
        return new Response('held')
      }
      if (url.pathname === '/half') await writer.close()
      const answer = await new Response(socket.readable).text()
      await socket.close()
      return new Response(answer)
    } catch (error) {
      return new Response(error.message, { status: 500 })
    }
  },
}`

const CONFIG = {
  name: 'app',
  main: 'index.js',
  compatibility_date: '2026-01-01',
  vpc_networks: [{ binding: 'OFFICE', tunnel_id: 't-1' }],
  vpc_services: [
    { binding: 'ORDERS', service_id: 's-1' },
    { binding: 'STOCK', service_id: 's-2' },
  ],
}

async function start(t: TestContext, options: Partial<HawserOptions> = {}): Promise<Hawser> {
  const config = await devProject(t, {
    'wrangler.json': CONFIG,
    'index.js': WORKER,
    'hawser.jsonc': { egress: 'OFFICE', services: { STOCK: { host: 'stock.internal', httpPort: 8080, tcpPort: 99 } } },
  })
  return startHawser({ config, ...options })
}

async function ask(hawser: Hawser, path: string, query: Readonly<Record<string, string>>): Promise<string> {
  return (await hawser.fetch(`${path}?${new URLSearchParams(query).toString()}`)).text()
}

/** What the dispose of a Worker says after `path` was asked of it, with `handler` behind its private port 7. */
async function failureOf(t: TestContext, path: string, handler: ServiceHandler): Promise<unknown> {
  const hawser = await start(t)
  await hawser.network('OFFICE').serve(7, handler)
  await ask(hawser, path, {
    via: 'OFFICE',
    to: path === '/http' ? 'http://echo.internal:7/' : 'echo.internal:7',
    say: 'hi',
  })
  return hawser.close().then(
    () => undefined,
    (error: unknown) => error,
  )
}

test('a TCP service is a function of a socket', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using hawser = await start(t)
  await using service = await hawser.network('OFFICE').serve('echo.internal:7', (socket) => {
    socket.once('data', (data) => socket.end(`you said ${data.toString()}`))
  })
  assert.equal(await ask(hawser, '/tcp', { via: 'OFFICE', to: 'echo.internal:7', say: 'hello' }), 'you said hello')
  const flow = await hawser.flow({ binding: 'OFFICE', requested: 'echo.internal:7' })
  assert.deepEqual([flow.kind, flow.outcome, flow.bytesSent, flow.bytesReceived], ['connect', 'ok', 5, 14])
  assert.deepEqual([flow.route?.via, flow.route?.remoteAddress], ['local', `127.0.0.1:${service.port}`])
})

test('global connect() reaches what is served on the binding that egress names', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using hawser = await start(t)
  await hawser.network('OFFICE').serve(7, (socket) => socket.end('from the office'))
  assert.equal(await ask(hawser, '/tcp', { to: '10.0.0.7:7', say: '' }), 'from the office')
  assert.equal((await hawser.flow()).binding, 'egress')
})

test('an HTTP service is an object with fetch()', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using hawser = await start(t)
  const { Request: before } = globalThis
  await hawser.network('OFFICE').serve('api.internal:8080', {
    fetch: (request) => Response.json({ url: request.url, method: request.method }, { status: 201 }),
  })
  assert.equal(globalThis.Request, before)
  const answer = await hawser.fetch('/http?via=OFFICE&to=http://api.internal:8080/a?b=c')
  assert.equal(answer.status, 201)
  assert.deepEqual(await answer.json(), { url: 'http://api.internal:8080/a?b=c', method: 'GET' })
  const flow = await hawser.flow({ kind: 'fetch' })
  assert.deepEqual(
    [flow.requested, flow.http],
    ['http://api.internal:8080', { method: 'GET', path: '/a', status: 201 }],
  )
})

test('a service may be a script', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using hawser = await start(t)
  await hawser.network('OFFICE').serve(7, [{ expect: 'PING\r\n' }, { reply: '+PONG\r\n' }, { end: true }])
  for (const round of [1, 2]) {
    assert.equal(await ask(hawser, '/tcp', { via: 'OFFICE', to: 'r:7', say: 'PING\r\n' }), '+PONG\r\n', String(round))
  }
  assert.equal((await hawser.flows({ outcome: 'ok' })).length, 2)
})

test('a VPC Service is served whole, known by hawser.jsonc or not', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using hawser = await start(t)
  const fetch = (request: Request): Response => new Response(request.url)
  await hawser.service('ORDERS').serve({ fetch })
  await hawser.service('STOCK').serve({ fetch })
  assert.equal(await ask(hawser, '/http', { via: 'ORDERS', to: 'http://orders/1' }), 'http://orders/1')
  assert.equal(await ask(hawser, '/http', { via: 'STOCK', to: 'http://stock/2' }), 'http://stock/2')
  await hawser.service('STOCK').serve((socket) => socket.end('tcp'))
  assert.equal(await ask(hawser, '/tcp', { via: 'STOCK', to: 'any:99', say: '' }), 'tcp')
})

test('a service speaks TLS with a certificate of the test, which the Worker may be told to trust', LIMIT, async (t) => {
  assertNoLeaks(t)
  const authority = await createAuthority()
  const { certPem: cert, keyPem: key } = await authority.issue({ names: ['api.internal'] })
  await using hawser = await start(t, { tls: [{ match: 'api.internal', ca: authority.caPem }] })
  const handler = { fetch: (request: Request) => new Response(request.url) }
  await hawser.network('OFFICE').serve('api.internal:443', handler, { tls: { cert, key } })
  await hawser.network('OFFICE').serve('other.internal:443', handler, { tls: { cert, key } })
  const call = (to: string): Promise<string> => ask(hawser, '/http', { via: 'OFFICE', to })
  assert.equal(await call('https://api.internal/a'), 'https://api.internal/a')
  await call('https://other.internal/')
  const [good, bad] = await hawser.flows()
  assert.deepEqual([good?.outcome, good?.tls?.authorized], ['ok', true])
  assert.equal(bad?.error?.code, 'tls_certificate_error')
})

test('a service that is disposed of is gone, and another may take its place', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using hawser = await start(t)
  const call = (): Promise<string> => ask(hawser, '/tcp', { via: 'OFFICE', to: 'x:1', say: '' })
  {
    await using _service = await hawser.network('OFFICE').serve('x:1', (socket) => socket.end('one'))
    assert.equal(await call(), 'one')
  }
  await call()
  assert.equal((await hawser.flow({ outcome: 'error' })).error?.code, 'connection_refused')
  await hawser.network('OFFICE').serve('x:1', (socket) => socket.end('two'))
  assert.equal(await call(), 'two')
})

test('calls wait for a service that is about to listen', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using hawser = await start(t)
  void hawser.network('OFFICE').serve('x:1', { fetch: () => new Response('ready') })
  assert.equal(await ask(hawser, '/http', { via: 'OFFICE', to: 'http://x:1/' }), 'ready')
})

test('what a handler throws fails the dispose, as it was thrown', LIMIT, async (t) => {
  assertNoLeaks(t)
  const reason = new Error('not what I wanted')
  const now = (): never => {
    throw reason
  }
  const later = async (): Promise<never> => {
    await Promise.resolve()
    throw reason
  }
  assert.equal(await failureOf(t, '/tcp', now), reason)
  assert.equal(await failureOf(t, '/tcp', later), reason)
  assert.equal(await failureOf(t, '/http', { fetch: later }), reason)
})

test('a handler is heard to its end although the Worker is closed meanwhile', LIMIT, async (t) => {
  assertNoLeaks(t)
  const failure = await failureOf(t, '/half', async (socket) => {
    assert.equal(await text(socket), 'ho')
  })
  assert.ok(failure instanceof AssertionError)
  assert.deepEqual([failure.actual, failure.expected], ['hi', 'ho'])
})

test('a script that was not played to its end fails the dispose, with the step', LIMIT, async (t) => {
  assertNoLeaks(t)
  const failure = await failureOf(t, '/hold', [{ expect: 'hi' }, { expect: 'bye' }])
  assert.ok(failure instanceof AssertionError)
  assert.match(failure.message, /^script, at step 2 of 2: expected "bye", got "" and then/)
})

test('several failures are one error with all of them', LIMIT, async (t) => {
  assertNoLeaks(t)
  const hawser = await start(t)
  await hawser.network('OFFICE').serve(7, [{ expect: 'ho' }])
  for (const say of ['one', 'two']) await ask(hawser, '/tcp', { via: 'OFFICE', to: 'x:7', say })
  const failure: unknown = await hawser.close().catch((error: unknown) => error)
  assert.ok(failure instanceof AggregateError)
  assert.match(failure.message, /^2 failures in private services:\nscript, .*"one"\nscript, .*"two"$/)
})

test('a connection that the Worker keeps or drops is no failure of a handler', LIMIT, async (t) => {
  assertNoLeaks(t)
  const failure = await failureOf(t, '/hold', async (socket) => {
    for await (const _chunk of socket) continue
  })
  assert.equal(failure, undefined)
})

test('what cannot be served is refused', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using hawser = await start(t)
  const isInvalid = (error: unknown): boolean => HawserError.is(error, 'options_invalid')
  assert.throws(() => hawser.network('ORDERS'), isInvalid)
  assert.throws(() => hawser.service('OFFICE'), isInvalid)
  const serve = (target: string | number, handler: unknown): Promise<unknown> =>
    hawser.network('OFFICE').serve(target, handler as ServiceHandler)
  for (const handler of [undefined, {}, 'text', { fetch: 1 }, ['expect', 'PING']]) {
    await assert.rejects(serve(1, handler), isInvalid, JSON.stringify(handler))
  }
  await assert.rejects(
    serve('a b', () => {}),
    isInvalid,
  )
})

const PUBLIC_WORKER = `
import { connect } from 'cloudflare:sockets'
import net from 'node:net'
export default {
  async fetch(request) {
    const url = new URL(request.url)
    const to = url.searchParams.get('to')
    try {
      if (url.pathname === '/fetch') return await fetch(to)
      if (url.pathname === '/net') {
        const socket = net.connect({ host: to.split(':')[0], port: Number(to.split(':')[1]) })
        let answer = ''
        for await (const chunk of socket) answer += chunk
        return new Response(answer)
      }
      const socket = connect(to)
      await socket.opened
      return new Response(await new Response(socket.readable).text())
    } catch (error) {
      return new Response(error.message, { status: 500 })
    }
  },
}`

test('a Worker without bindings: the public hosts that it calls are served by the test', LIMIT, async (t) => {
  assertNoLeaks(t)
  const config = await devProject(t, {
    'wrangler.json': {
      name: 'app',
      main: 'index.js',
      compatibility_date: '2026-01-01',
      compatibility_flags: ['nodejs_compat'],
    },
    'index.js': PUBLIC_WORKER,
    'hawser.jsonc': { egress: { hosts: { 'other.example.com': '127.0.0.1:1' } } },
  })
  const authority = await createAuthority()
  const { certPem: cert, keyPem: key } = await authority.issue({ names: ['api.example.com'] })
  await using hawser = await startHawser({ config, tls: [{ match: 'api.example.com', ca: authority.caPem }] })
  const text = async (path: string): Promise<string> => (await hawser.fetch(path)).text()

  await hawser.egress.serve('db.example.com:5432', (socket) => socket.end('row'))
  await hawser.egress.serve(
    'api.example.com:443',
    { fetch: (request) => new Response(`${request.headers.get('host')} ${new URL(request.url).pathname}`) },
    { tls: { cert, key } },
  )
  assert.equal(await text('/connect?to=db.example.com:5432'), 'row')
  assert.equal(await text('/net?to=db.example.com:5432'), 'row')
  assert.equal(await text(`/fetch?to=${encodeURIComponent('https://api.example.com/item')}`), 'api.example.com /item')
  assert.match(await text('/connect?to=other.example.com:5432'), /^proxy request failed/)
  await hawser.egress.serve(5432, (socket) => socket.end('never'))
  assert.match(await text('/connect?to=10.0.0.5:5432'), /^proxy request failed/, 'production’s rules still judge')
  assert.match(await text('/connect?to=localhost:5432'), /^proxy request failed/)

  const flows = await hawser.flows()
  assert.deepEqual(
    flows.map(({ requested, route, verdict, error }) => `${requested} ${error?.code ?? route?.via} ${verdict?.rule}`),
    [
      'db.example.com:5432 local stand-in',
      'db.example.com:5432 local stand-in',
      'https://api.example.com local stand-in',
      'other.example.com:5432 connection_refused stand-in',
      '10.0.0.5:5432 destination_ip_prohibited blocked-destinations/private',
      'localhost:5432 destination_ip_prohibited blocked-names/localhost',
    ],
  )
})
