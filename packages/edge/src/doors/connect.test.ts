import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { readStatus, TestSite } from '../test-site.ts'

const TIMEOUT = { timeout: 10_000 }
const ADDRESS = 'db.internal:5432'

/** A site whose target hands each connection to `onConnection`. */
async function siteWith(onConnection: (socket: Socket) => unknown): Promise<TestSite> {
  const site = await TestSite.open()
  await site.serve(ADDRESS, onConnection)
  return site
}

/** How a socket ended: with an end, or with the code of its error. */
function ending(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.once('end', () => resolve('end'))
  })
}

test('connect: bytes go both ways, half-closes included', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith(async (socket) => void socket.end(`got ${await text(socket)}`))
  const { status, socket } = await site.connect(ADDRESS)
  assert.equal(status, 200)
  socket.end('a question')
  assert.equal(await text(socket), 'got a question')
  const [flow] = await site.flowsEnded(1)
  assert.deepEqual(
    [flow?.outcome, flow?.kind, flow?.requested, flow?.bytesSent, flow?.bytesReceived],
    ['ok', 'connect', ADDRESS, 10, 14],
  )
})

test('connect: the target may end first and still be written to', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const got = Promise.withResolvers<string>()
  await using site = await siteWith((socket) => {
    socket.end('bye')
    got.resolve(text(socket))
  })
  const { socket } = await site.connect(ADDRESS)
  assert.equal(await text(socket), 'bye')
  socket.end('late words')
  assert.equal(await got.promise, 'late words')
})

test('connect: the answer comes only once the target stands', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith((socket) => socket.resume())
  const gate = Promise.withResolvers<void>()
  const dial = site.network.dial.bind(site.network)
  site.network.dial = async (target, signal) => {
    await gate.promise
    return dial(target, signal)
  }
  const socket = await site.knock('tcp')
  let answered = false
  socket.once('data', () => (answered = true))
  socket.write(`CONNECT ${site.authority(ADDRESS)} HTTP/1.1\r\n\r\n`)
  while (site.binding.open.size === 0) await new Promise(setImmediate)
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
  assert.equal(answered, false)
  gate.resolve()
  await once(socket, 'data')
})

test('connect: bytes that came with the head, and while it was dialled, reach the target first', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith(async (socket) => void socket.end(await text(socket)))
  const gate = Promise.withResolvers<void>()
  const dial = site.network.dial.bind(site.network)
  site.network.dial = async (target, signal) => {
    await gate.promise
    return dial(target, signal)
  }
  const socket = await site.knock('tcp')
  socket.write(`CONNECT ${site.authority(ADDRESS)} HTTP/1.1\r\n\r\none `)
  while (site.binding.open.size === 0) await new Promise(setImmediate)
  socket.write('two ')
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
  socket.write('three ')
  gate.resolve()
  assert.equal(await readStatus(socket), 200)
  socket.end('four')
  assert.equal(await text(socket), 'one two three four')
})

test('connect: a reset at the target is a reset at the Worker', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith((socket) => socket.once('data', () => socket.resetAndDestroy()))
  const { socket } = await site.connect(ADDRESS)
  const ended = ending(socket)
  socket.write('x')
  socket.resume()
  assert.equal(await ended, 'ECONNRESET')
  assert.equal((await site.flowsEnded(1))[0]?.error?.code, 'connection_terminated')
})

test('connect: data before the reset still arrives', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith((socket) => {
    socket.write('last words', () => setImmediate(() => socket.resetAndDestroy()))
  })
  const { socket } = await site.connect(ADDRESS)
  let seen = ''
  socket.on('data', (chunk: Buffer) => (seen += chunk.toString()))
  await ending(socket)
  assert.equal(seen, 'last words')
})

test('connect: a Worker that resets ends the connection at the target with a reset', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const ended = Promise.withResolvers<string>()
  await using site = await siteWith((socket) => {
    ended.resolve(ending(socket))
    socket.resume()
    socket.write('x')
  })
  const { socket } = await site.connect(ADDRESS)
  socket.resetAndDestroy()
  assert.equal(await ended.promise, 'ECONNRESET')
  const [flow] = await site.flowsEnded(1)
  assert.deepEqual([flow?.outcome, flow?.error?.code], ['aborted', 'connection_aborted'])
})

test('connect: a Worker that goes while its target is dialled stops the dial', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  const aborted = Promise.withResolvers<void>()
  site.network.dial = (_target, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        aborted.resolve()
        reject(signal.reason)
      })
    })
  const socket = await site.knock('tcp')
  socket.write(`CONNECT ${site.authority(ADDRESS)} HTTP/1.1\r\n\r\n`)
  while (site.binding.open.size === 0) await new Promise(setImmediate)
  socket.destroy()
  await aborted.promise
  assert.equal((await site.flowsEnded(1))[0]?.outcome, 'aborted')
})

test(
  'connect: a failure is answered, and told in full to the module that asks by the call’s id',
  TIMEOUT,
  async (t) => {
    assertNoLeaks(t)
    await using site = await TestSite.open()
    site.network.routes.set(ADDRESS, 'connection_refused')
    const { status, socket } = await site.connect(ADDRESS, 'abc123')
    assert.equal(status, 502)
    socket.destroy()
    const reply = await site.fetch('GET', 'http://flows.hawser/abc123')
    const [flow] = site.flows
    assert.equal(reply.status, 200)
    assert.deepEqual(JSON.parse(reply.body.toString()), {
      code: 'connection_refused',
      message: 'as the test asked for',
      flow: flow?.id,
    })
    assert.equal((await site.fetch('GET', 'http://flows.hawser/other')).status, 404)
  },
)

test('connect: the outcome of one binding’s call is not told to another', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  site.network.routes.set(ADDRESS, 'connection_refused')
  const { socket } = await site.connect(ADDRESS, 'abc123')
  socket.destroy()
  await using other = await site.openBinding({ binding: 'OTHER' })
  const asking = await site.knock('unix', other)
  asking.write('GET http://flows.hawser/abc123 HTTP/1.1\r\n\r\n')
  const [answer] = await once(asking, 'data')
  assert.match(answer.toString(), /^HTTP\/1.1 404/)
})

test('connect: without a capability over the unix socket', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith(async (socket) => void socket.end(await text(socket)))
  const socket = await site.knock('unix')
  socket.write(`CONNECT ${ADDRESS} HTTP/1.1\r\n\r\n`)
  assert.equal(await readStatus(socket), 200)
  socket.end('hello')
  assert.equal(await text(socket), 'hello')
})

test('connect: after requests on the same unix socket', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith(async (socket) => void socket.end(await text(socket)))
  await site.attach(
    'api.internal:80',
    createServer((_incoming, outgoing) => outgoing.end('ok')),
  )
  const socket = await site.knock('unix')
  socket.write('GET http://api.internal/ HTTP/1.1\r\n\r\n')
  await once(socket, 'readable')
  assert.equal(await readStatus(socket), 200)
  socket.read()
  socket.write(`CONNECT ${ADDRESS} HTTP/1.1\r\n\r\n`)
  assert.equal(await readStatus(socket), 200)
  socket.end('hello')
  assert.equal(await text(socket), 'hello')
})

test('connect: IPv6 literals keep working through the authority', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith((socket) => socket.end('six'))
  site.network.routes.set('[fd00::7]:6379', site.network.routes.get(ADDRESS) ?? 0)
  const { socket } = await site.connect('[FD00::7]:6379')
  socket.end()
  assert.equal(await text(socket), 'six')
  const [flow] = await site.flowsEnded(1)
  assert.deepEqual([flow?.requested, flow?.target?.host], ['[FD00::7]:6379', 'fd00::7'])
})

test('connect: 20 MB each way at once, with a slow reader, arrive whole', { timeout: 30_000 }, async (t) => {
  assertNoLeaks(t)
  const size = 20 * 1024 * 1024
  await using site = await siteWith((socket) => void socket.pipe(socket))
  const { socket } = await site.connect(ADDRESS)
  let received = 0
  const done = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length
      if (received % 7 === 0) {
        socket.pause()
        setImmediate(() => socket.resume())
      }
    })
    socket.once('end', () => resolve())
  })
  const block = Buffer.alloc(65_536, 'x')
  for (let sent = 0; sent < size; sent += block.length) {
    if (!socket.write(block)) await once(socket, 'drain')
  }
  socket.end()
  await done
  assert.equal(received, size)
  const [flow] = await site.flowsEnded(1)
  assert.deepEqual([flow?.bytesSent, flow?.bytesReceived], [size, size])
})
