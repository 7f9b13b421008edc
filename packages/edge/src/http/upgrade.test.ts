import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { directDialer } from '../direct-dialer.ts'
import { TestSite } from '../test-site.ts'
import type { TestSiteOptions } from '../test-site.ts'

const URL_BASE = 'http://api.internal:8080'
const TIMEOUT = { timeout: 20_000 }
const UPGRADE = `GET ${URL_BASE}/ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n`
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'

/** A target that answers a request for an upgrade with `answer`, then does `after` with the socket. */
async function upgradeSite(
  answer: string,
  after: (socket: Socket) => void = () => {},
  options?: TestSiteOptions,
): Promise<TestSite> {
  const site = await TestSite.open(options)
  await site.serve('api.internal:8080', (socket) => {
    socket.once('data', (chunk: Buffer) => {
      assert.match(chunk.toString('latin1'), /^GET \/ws [^]*Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n/)
      socket.write(answer)
      after(socket)
    })
  })
  return site
}

test('upgrade: turns the call into a byte stream, half-closes included', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await upgradeSite(`${SWITCHING}first `, (socket) => void socket.pipe(socket))
  const socket = await site.knock('unix')
  socket.write(UPGRADE)
  await once(socket, 'readable')
  socket.write('then ')
  socket.end('more')
  const all = await text(socket)
  assert.equal(
    all,
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst then more',
  )
  const [flow] = await site.flowsEnded(1)
  assert.deepEqual([flow?.outcome, flow?.http?.status, flow?.bytesSent, flow?.bytesReceived], ['ok', 101, 9, 15])
})

test('upgrade: what the Worker sent along with its request goes to the new protocol', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await upgradeSite(SWITCHING, (socket) => void socket.pipe(socket))
  const socket = await site.knock('unix')
  socket.write(`${UPGRADE}ahead`)
  await once(socket, 'readable')
  socket.end()
  assert.match(await text(socket), /\r\n\r\nahead$/)
})

test('upgrade: refused on a private network it is http_upgrade_failed', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await upgradeSite('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
  const socket = await site.knock('unix')
  socket.write(UPGRADE)
  const [answer] = await once(socket, 'data')
  assert.match(answer.toString(), /^HTTP\/1.1 502 [^]*hawser-error: http_upgrade_failed[^]*answered 403/)
  assert.equal((await site.flowsEnded(1))[0]?.error?.step, 'relay')
})

test('upgrade: refused on the public side the target’s answer is the answer', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  let port = 0
  const loopback = directDialer(['127.0.0.1'])
  await using site = await upgradeSite('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno', () => {}, {
    identity: { network: { kind: 'public' } },
    services: {
      resolve: () => Promise.resolve(['93.184.216.34']),
      directDialer: () => ({ dial: (target, signal) => loopback.dial({ ...target, port }, signal) }),
    },
  })
  const route = site.network.routes.get('api.internal:8080')
  port = typeof route === 'number' ? route : 0
  const socket = await site.knock('unix')
  socket.write(UPGRADE)
  const [answer] = await once(socket, 'data')
  assert.match(answer.toString(), /^HTTP\/1.1 426 [^]*\r\n\r\nno$/)
  assert.equal((await site.flowsEnded(1))[0]?.outcome, 'ok')
})

test('upgrade: a target that resets afterwards ends the stream', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await upgradeSite(SWITCHING, (socket) => setImmediate(() => socket.resetAndDestroy()))
  const socket = await site.knock('unix')
  socket.write(UPGRADE)
  socket.resume()
  await new Promise((resolve) => socket.once('close', resolve).once('end', () => socket.destroy()))
  assert.equal((await site.flowsEnded(1))[0]?.error?.code, 'connection_terminated')
})

test('upgrade: a kept connection is not used for one, nor kept after one', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  let connections = 0
  await using site = await TestSite.open()
  await site.serve('api.internal:8080', (socket) => {
    connections += 1
    socket.on('end', () => socket.end())
    socket.on('data', (chunk: Buffer) => {
      const wantsIt = chunk.toString('latin1').includes('Upgrade')
      socket.write(wantsIt ? SWITCHING : 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
  })
  await site.fetch('GET', `${URL_BASE}/`)
  const socket = await site.knock('unix')
  socket.write(UPGRADE)
  await once(socket, 'readable')
  socket.end()
  await site.flowsEnded(2)
  assert.equal(connections, 2)
  assert.equal(site.binding.pool.size, 1)
})
