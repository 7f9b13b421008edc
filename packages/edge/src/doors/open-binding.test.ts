import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { TestSite } from '../test-site.ts'
import { SocketDir } from './socket-dir.ts'

const TIMEOUT = { timeout: 10_000 }
const ADDRESS = 'db.internal:5432'

test('binding: its doors are its own, short, and private', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  await using other = await site.openBinding({ binding: 'OTHER' })
  const { fetchSocket, capability, connectAddress } = site.binding
  assert.notEqual(fetchSocket, other.fetchSocket)
  assert.notEqual(capability.reveal(), other.capability.reveal())
  assert.match(capability.reveal(), /^[0-9a-f]{32}$/)
  assert.match(connectAddress, /^127\.0\.0\.1:\d+$/)
  assert.ok(Buffer.byteLength(fetchSocket) < 100)
  assert.equal((await stat(dirname(fetchSocket))).mode & 0o777, 0o700)
})

test('binding: closing it takes its socket away and ends idle connections', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  await site.attach(
    'api.internal:80',
    createServer((_incoming, outgoing) => outgoing.end('ok')),
  )
  const idle = await site.knock('unix')
  idle.write('GET http://api.internal/ HTTP/1.1\r\n\r\n')
  await once(idle, 'data')
  const closed = new Promise((resolve) => idle.once('close', resolve).once('end', () => idle.destroy()))
  await site.binding.close()
  await closed
  await assert.rejects(access(site.binding.fetchSocket))
  await site.binding.close()
})

test('binding: a call under way may finish when it closes', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  await site.serve(ADDRESS, (socket) => socket.pipe(socket))
  const { socket } = await site.connect(ADDRESS)
  const closing = site.binding.close(5_000)
  socket.end('still here')
  assert.equal(await text(socket), 'still here')
  await closing
  assert.equal((await site.flowsEnded(1))[0]?.outcome, 'ok')
})

test('binding: a request under way is answered when it closes, and its connection then ends', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  const waiting = Promise.withResolvers<() => void>()
  await site.attach(
    'api.internal:80',
    createServer((_incoming, outgoing) => waiting.resolve(() => outgoing.end('ok'))),
  )
  const socket = await site.knock('unix')
  socket.write('GET http://api.internal/ HTTP/1.1\r\n\r\n')
  const answer = await waiting.promise
  const closing = site.binding.close(5_000)
  answer()
  assert.match(await text(socket), /^HTTP\/1.1 200 [^]*ok/)
  socket.destroy()
  await closing
})

test('binding: a call that does not end is ended after the grace, with a coded error', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  await site.serve(ADDRESS, (socket) => socket.resume())
  const { socket } = await site.connect(ADDRESS)
  const failed = new Promise((resolve) => socket.once('error', resolve))
  socket.resume()
  await site.binding.close(20)
  await failed
  const [flow] = await site.flowsEnded(1)
  assert.deepEqual([flow?.outcome, flow?.error?.code], ['error', 'connection_terminated'])
})

test('binding: abort ends all calls at once with its reason', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  await site.serve(ADDRESS, (socket) => socket.resume())
  await site.serve('api.internal:80', (socket) => socket.resume())
  await site.connect(ADDRESS)
  const fetching = assert.rejects(site.fetch('GET', 'http://api.internal/'))
  while (site.binding.open.size < 2) await new Promise(setImmediate)
  const closing = site.binding.close(60_000)
  site.binding.abort(new HawserError('connection_terminated', 'now'))
  await closing
  await fetching
  const flows = await site.flowsEnded(2)
  assert.ok(flows.every((flow) => flow.error?.message === 'now'))
})

test('binding: too many calls at once are refused with a code, and room comes back', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const limits = { maxOpenFlows: 1, resolveTimeoutMs: 1_000, dialTimeoutMs: 1_000, handshakeTimeoutMs: 1_000 }
  await using site = await TestSite.open({ services: { limits } })
  await site.serve(ADDRESS, (socket) => socket.pipe(socket))
  const { socket } = await site.connect(ADDRESS)
  assert.equal((await site.connect(ADDRESS, 'second')).status, 502)
  const told = JSON.parse((await site.fetch('GET', 'http://flows.hawser/second')).body.toString())
  assert.equal(told.code, 'connection_limit_reached')
  socket.end()
  await site.flowsEnded(2)
  const third = await site.connect(ADDRESS)
  assert.equal(third.status, 200)
})

test('socket dir: takes the first parent that is short enough, and says so when none is', async () => {
  const long = `/${'x'.repeat(90)}`
  await using dir = await SocketDir.create([long, '/tmp'])
  assert.match(dir.path, /^\/tmp\/hawser-/)
  assert.ok(dir.next() !== dir.next())
  await assert.rejects(
    SocketDir.create([long]),
    (error) => HawserError.is(error, 'listen_failed') && error.message.includes('TMPDIR'),
  )
  await assert.rejects(SocketDir.create(['/no-such-parent']), (error) => HawserError.is(error, 'listen_failed'))
})
