import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { startWire } from './wire.ts'

const LIMIT = { timeout: 20_000 }
const MARKER = 'THE-MARKER'

interface TestServer extends AsyncDisposable {
  readonly port: number
}

async function startServer(serve: (socket: Socket) => void): Promise<TestServer> {
  const server = createServer({ allowHalfOpen: true }, serve)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port, [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) }
}

async function exchange(port: number, pieces: readonly string[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.setNoDelay()
  for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve))
  socket.end()
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

test('the marker is found however the stream is cut, and in both directions', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using echo = await startServer((socket) => socket.pipe(socket))
  await using talker = await startServer((socket) => socket.resume().end(`x ${MARKER}`))
  await using wire = await startWire(MARKER)
  wire.leadTo(echo.port)
  assert.equal(await exchange(wire.port, ['THE-', 'MARK', 'ED']), 'THE-MARKED')
  assert.equal(wire.seen, false)
  assert.equal(await exchange(wire.port, ['a THE', '-MAR', 'KER b']), 'a THE-MARKER b')
  assert.equal(wire.seen, true)

  wire.leadTo(talker.port)
  assert.equal(wire.seen, false)
  assert.equal(await exchange(wire.port, ['hello']), `x ${MARKER}`)
  assert.equal(wire.seen, true)
})

test('it is idle once both sides of every connection are closed, and says how many are not', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using echo = await startServer((socket) => socket.pipe(socket))
  await using wire = await startWire(MARKER)
  wire.leadTo(echo.port)
  await wire.idle(t.signal)
  const socket = connect({ port: wire.port, host: '127.0.0.1' })
  socket.write('x')
  await once(socket, 'data')
  await assert.rejects(wire.idle(AbortSignal.abort()), /1 connections stay open/)
  const idle = wire.idle(t.signal)
  socket.end()
  await idle
  await once(socket.resume(), 'close')
})

test('a reset stays a reset', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using server = await startServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.resetAndDestroy())
  })
  await using wire = await startWire(MARKER)
  wire.leadTo(server.port)
  const socket = connect({ port: wire.port, host: '127.0.0.1' })
  socket.write('x')
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ECONNRESET')
})
