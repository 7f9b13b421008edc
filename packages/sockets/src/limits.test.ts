import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { before, test } from 'node:test'
import { assertNoLeaks, createAuthority } from '@hawser/testkit'
import { NodeHarness } from './conformance/node-harness.ts'
import { makeCertificates } from './conformance/peer.ts'
import type { PeerCertificates } from './conformance/peer.ts'
import { createConnect } from './connect.ts'
import type { Connect } from './connect.ts'
import type { Socket } from './socket.ts'

let certificates: PeerCertificates
let connect: Connect

before(async () => {
  const { caPem, ...made } = await makeCertificates(createAuthority)
  certificates = made
  connect = createConnect({ tls: [{ match: '*', ca: caPem }] })
})

const REASON = new RangeError('changed my mind')

function listening(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length
}

/** Every promise a socket has, each with something that waits. */
function everything(socket: Socket): Promise<unknown>[] {
  const [reader, writer] = [socket.readable.getReader(), socket.writable.getWriter()]
  return [socket.opened, socket.closed, reader.read(), writer.write('x'), reader.closed, writer.closed]
}

async function rejectWith(reason: unknown, promises: Promise<unknown>[]): Promise<void> {
  for (const promise of promises) await assert.rejects(promise, (error) => error === reason)
}

for (const [options, message] of [
  [{ signal: {} }, /^signal: expected an AbortSignal, got object$/],
  [{ signal: 'x' }, /^signal: expected an AbortSignal, got string$/],
  [{ timeoutMs: 0 }, /^timeoutMs: expected a number from 1 to 2147483647, got 0$/],
  [{ timeoutMs: '5' }, /^timeoutMs: expected a number from 1/],
  [{ timeoutMs: Number.NaN }, /^timeoutMs: .* got NaN$/],
  [{ timeoutMs: 2 ** 31 }, /^timeoutMs: .* got 2147483648$/],
] as const) {
  test(`${JSON.stringify(options)} is refused at once`, () => {
    assert.throws(() => connect('127.0.0.1:9', options as object), { name: 'TypeError', message })
  })
}

test('null and undefined mean no limit', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const { address } = await harness.peer()
  await connect(address, { signal: null, timeoutMs: undefined }).opened
})

test('a signal that was aborted before dials nobody', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const peer = await harness.peer()
  const socket = connect(peer.address, { signal: AbortSignal.abort(REASON) })
  await rejectWith(REASON, everything(socket))
  assert.equal(await Promise.race([peer.accepted().then(() => 'dialled'), harness.quiet()]), undefined)
})

test('an abort while TCP is connecting rejects everything with the reason', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const peer = await harness.peer()
  const controller = new AbortController()
  const socket = connect(peer.address, { signal: controller.signal })
  const promises = everything(socket)
  controller.abort(REASON)
  await rejectWith(REASON, promises)
  assert.equal(listening(controller.signal), 0)
})

test('an abort while TLS is being negotiated rejects everything and frees the connection', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const peer = await harness.peer()
  const controller = new AbortController()
  const socket = connect(peer.address, { secureTransport: 'on', signal: controller.signal })
  const promises = everything(socket)
  await peer.received(1)
  controller.abort(REASON)
  await rejectWith(REASON, promises)
  assert.equal(await peer.gone(), 'reset')
})

test('an abort after opening fails what waits, rejects closed and resets the connection', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const peer = await harness.peer()
  const controller = new AbortController()
  const socket = connect(peer.address, { signal: controller.signal })
  await socket.opened
  await peer.accepted()
  await peer.pause()
  const [reader, writer] = [socket.readable.getReader(), socket.writable.getWriter()]
  const waiting = [reader.read(), writer.write(new Uint8Array(30_000_000)), writer.write('queued'), socket.closed]
  await harness.quiet()
  controller.abort(REASON)
  await rejectWith(REASON, waiting)
  await peer.resume()
  assert.equal(await peer.gone(), 'reset')
  await socket.opened
})

for (const secureTransport of ['off', 'on'] as const) {
  test(`an abort in the moment that the end goes out closes the connection, TLS ${secureTransport}`, async (t) => {
    assertNoLeaks(t)
    await using harness = new NodeHarness(certificates, connect)
    const peer = await harness.peer(secureTransport === 'on' ? { tls: 'good' } : {})
    const { port } = peer
    const controller = new AbortController()
    const socket = connect(`localhost:${port}`, { secureTransport, signal: controller.signal })
    await socket.opened
    await peer.accepted()
    const ended = socket.writable
      .getWriter()
      .close()
      .catch(() => {})
    controller.abort(REASON)
    await rejectWith(REASON, [socket.closed])
    await ended
    await peer.gone()
  })
}

test('an abort in the very moment that TLS opens does no harm to the process', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  for (let turn = 0; turn < 10; turn += 1) {
    const { port } = await harness.peer({ tls: 'good' })
    const controller = new AbortController()
    const socket = connect(`localhost:${port}`, { secureTransport: 'on', signal: controller.signal })
    await socket.opened
    controller.abort(REASON)
    await rejectWith(REASON, [socket.closed])
  }
})

test('close() after an abort resolves', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const { address } = await harness.peer()
  const socket = connect(address, { signal: AbortSignal.abort(REASON) })
  await assert.rejects(socket.opened)
  await socket.close()
  await rejectWith(REASON, [socket.close()])
})

test('an abort ends a close() that waits for a peer which does not read', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const peer = await harness.peer()
  const controller = new AbortController()
  const socket = connect(peer.address, { signal: controller.signal })
  await socket.opened
  await peer.accepted()
  await peer.pause()
  const write = socket.writable.getWriter().write(new Uint8Array(30_000_000))
  const close = socket.close()
  controller.abort(REASON)
  await rejectWith(REASON, [write, socket.closed])
  await close
})

for (const [how, end] of [
  ['was closed', async (socket: Socket) => socket.close()],
  [
    'has ended with its peer',
    async (socket: Socket, peer: { end(): Promise<void> }) => {
      await peer.end()
      await socket.readable.getReader().read()
      await socket.closed
    },
  ],
  ['was upgraded', async (socket: Socket) => void (await socket.startTls().opened.catch(() => {}))],
] as const) {
  test(`a signal forgets a socket that ${how}`, async (t) => {
    assertNoLeaks(t)
    await using harness = new NodeHarness(certificates, connect)
    const peer = await harness.peer(how === 'was upgraded' ? { tls: 'untrusted' } : {})
    const { signal } = new AbortController()
    const socket = connect(`localhost:${peer.port}`, { signal, secureTransport: 'starttls' })
    await socket.opened
    assert.equal(listening(signal), 1)
    await end(socket, peer)
    assert.equal(listening(signal), 0)
  })
}

test('a signal forgets a socket that could not be opened', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const { signal } = new AbortController()
  await assert.rejects(connect(`127.0.0.1:${await harness.refused()}`, { signal, timeoutMs: 60_000 }).opened)
  assert.equal(listening(signal), 0)
})

test('opening that takes longer than timeoutMs rejects with a TimeoutError and frees the connection', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const peer = await harness.peer()
  const socket = connect(peer.address, { secureTransport: 'on', timeoutMs: 20 })
  await assert.rejects(socket.opened, { name: 'TimeoutError', message: 'The connection did not open within 20 ms' })
  await assert.rejects(socket.closed, { name: 'TimeoutError' })
  await peer.accepted()
  assert.equal(await peer.gone(), 'reset')
})

test('once the socket is open its time does not count any more', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const peer = await harness.peer()
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const socket = connect(peer.address, { timeoutMs: 1000 })
  await socket.opened
  t.mock.timers.tick(1_000_000)
  await socket.writable.getWriter().write('still here')
  assert.equal(await peer.received(10), 'still here')
})

test('the socket of startTls() inherits the signal', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const peer = await harness.peer()
  const controller = new AbortController()
  const old = connect(peer.address, { secureTransport: 'starttls', signal: controller.signal })
  await old.opened
  const promises = everything(old.startTls())
  await peer.received(1)
  controller.abort(REASON)
  await rejectWith(REASON, promises)
  await old.closed
  assert.equal(await peer.gone(), 'reset')
})

test('the socket of startTls() has timeoutMs of its own', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const peer = await harness.peer()
  const old = connect(peer.address, { secureTransport: 'starttls', timeoutMs: 30 })
  await old.opened
  const socket = old.startTls()
  await assert.rejects(socket.opened, { name: 'TimeoutError' })
  assert.equal(await peer.gone(), 'reset')
})

test('so an upgrade of a connection that is refused does not hang for ever', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const old = connect(`127.0.0.1:${await harness.refused()}`, { secureTransport: 'starttls', timeoutMs: 30 })
  await assert.rejects(old.startTls().opened, { name: 'TimeoutError' })
  await assert.rejects(old.opened, { code: 'ECONNREFUSED' })
})
