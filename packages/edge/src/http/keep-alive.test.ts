import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { TestSite } from '../test-site.ts'

const URL_BASE = 'http://api.internal:8080'
const TIMEOUT = { timeout: 10_000 }
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** A site whose target counts connections; `onRequest` answers the nth request of the nth connection. */
async function countingSite(
  onRequest: (socket: Socket, request: number, connection: number) => void,
): Promise<{ readonly site: TestSite; readonly connections: () => number }> {
  const site = await TestSite.open()
  let connections = 0
  await site.serve('api.internal:8080', (socket) => {
    connections += 1
    const connection = connections
    let requests = 0
    socket.on('end', () => socket.end())
    socket.on('data', () => {
      requests += 1
      onRequest(socket, requests, connection)
    })
  })
  return { site, connections: () => connections }
}

test('keep-alive: one connection serves many calls, each of them a flow of its own', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const { site, connections } = await countingSite((socket) => socket.write(OK))
  await using _site = site
  for (let call = 0; call < 5; call += 1) assert.equal((await site.fetch('GET', `${URL_BASE}/${call}`)).status, 200)
  assert.equal(connections(), 1)
  assert.equal(site.network.dialed.length, 1)
  const flows = await site.flowsEnded(5)
  assert.equal(new Set(flows.map((flow) => flow.id)).size, 5)
  assert.deepEqual(
    flows.map((flow) => flow.http?.path),
    ['/0', '/1', '/2', '/3', '/4'],
  )
  assert.ok(flows.slice(1).every((flow) => (flow.timings.dial ?? 1) < 1))
  assert.ok(flows.every((flow) => flow.route?.remoteAddress === '10.0.0.1:8080'))
})

test('keep-alive: calls at once get connections of their own', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const waiting: Socket[] = []
  const { site, connections } = await countingSite((socket) => {
    waiting.push(socket)
    if (waiting.length === 3) for (const one of waiting) one.write(OK)
  })
  await using _site = site
  const replies = await Promise.all([1, 2, 3].map((call) => site.fetch('GET', `${URL_BASE}/${call}`)))
  assert.ok(replies.every((reply) => reply.status === 200))
  assert.equal(connections(), 3)
  assert.equal(site.binding.pool.size, 3)
})

test('keep-alive: never shared between bindings, hosts, ports or schemes', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const { site, connections } = await countingSite((socket) => socket.write(OK))
  await using _site = site
  const port = site.network.routes.get('api.internal:8080') ?? 0
  site.network.routes.set('api.internal:8081', port)
  site.network.routes.set('other.internal:8080', port)
  for (const origin of [URL_BASE, 'http://api.internal:8081', 'http://other.internal:8080'])
    await site.fetch('GET', `${origin}/`)
  assert.equal(connections(), 3)
  await using second = await site.openBinding({ binding: 'OTHER' })
  const socket = await site.knock('unix', second)
  socket.write(`GET ${URL_BASE}/ HTTP/1.1\r\n\r\n`)
  await once(socket, 'data')
  assert.equal(connections(), 4)
  assert.deepEqual([site.binding.pool.size, second.pool.size], [3, 1])
})

test('keep-alive: a connection that says close is not kept', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const { site, connections } = await countingSite((socket) =>
    socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'),
  )
  await using _site = site
  for (let call = 0; call < 2; call += 1) await site.fetch('GET', `${URL_BASE}/`)
  assert.equal(connections(), 2)
})

test('keep-alive: HTTP/1.0 is kept only where it says so', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const { site, connections } = await countingSite((socket, _request, connection) => {
    const field = connection === 1 ? '' : 'Connection: keep-alive\r\n'
    socket.write(`HTTP/1.0 200 OK\r\n${field}Content-Length: 2\r\n\r\nok`)
  })
  await using _site = site
  for (let call = 0; call < 4; call += 1) await site.fetch('GET', `${URL_BASE}/`)
  assert.equal(connections(), 2)
})

test('keep-alive: a target that allows no idle second is not kept', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const { site, connections } = await countingSite((socket) =>
    socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok'),
  )
  await using _site = site
  for (let call = 0; call < 2; call += 1) await site.fetch('GET', `${URL_BASE}/`)
  assert.equal(connections(), 2)
})

/** Answers the first request of each connection and resets on its second, unless it is the last connection. */
function resetOnSecond(last: number): (socket: Socket, request: number, connection: number) => void {
  return (socket, request, connection) => {
    if (request === 1 || connection === last) socket.write(OK)
    else socket.resetAndDestroy()
  }
}

test('stale connection: an idempotent request is sent again, once, on a fresh one', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const { site, connections } = await countingSite(resetOnSecond(2))
  await using _site = site
  await site.fetch('GET', `${URL_BASE}/`)
  assert.equal((await site.fetch('GET', `${URL_BASE}/again`)).status, 200)
  assert.equal(connections(), 2)
  const flows = await site.flowsEnded(2)
  assert.deepEqual([flows.length, flows[1]?.outcome, flows[1]?.error], [2, 'ok', undefined])
})

test('stale connection: a fresh connection that ends the same way is the answer', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const { site, connections } = await countingSite((socket, request, connection) => {
    if (connection === 1 && request === 1) socket.write(OK)
    else socket.resetAndDestroy()
  })
  await using _site = site
  await site.fetch('GET', `${URL_BASE}/`)
  assert.equal((await site.fetch('GET', `${URL_BASE}/`)).headers['hawser-error'], 'connection_terminated')
  assert.equal(connections(), 2)
})

test('stale connection: a POST is not sent twice', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const { site, connections } = await countingSite(resetOnSecond(2))
  await using _site = site
  await site.fetch('GET', `${URL_BASE}/`)
  const reply = await site.fetch('POST', `${URL_BASE}/`)
  assert.equal(reply.headers['hawser-error'], 'connection_terminated')
  assert.equal(connections(), 1)
})

test('stale connection: a request whose body has begun to leave is not sent twice', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const { site, connections } = await countingSite(resetOnSecond(2))
  await using _site = site
  await site.fetch('GET', `${URL_BASE}/`)
  const reply = await site.fetch('PUT', `${URL_BASE}/`, { 'content-length': '4' }, 'body')
  assert.equal(reply.headers['hawser-error'], 'connection_terminated')
  assert.equal(connections(), 1)
})

test('keep-alive: a server that closes its idle connection leaves nothing behind', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  const server = createServer({ keepAliveTimeout: 60_000 }, (_incoming, outgoing) => outgoing.end('ok'))
  await site.attach('api.internal:8080', server)
  await site.fetch('GET', `${URL_BASE}/`)
  assert.equal(site.binding.pool.size, 1)
  server.closeIdleConnections()
  while (site.binding.pool.size > 0) await new Promise(setImmediate)
  assert.equal((await site.fetch('GET', `${URL_BASE}/`)).status, 200)
})
