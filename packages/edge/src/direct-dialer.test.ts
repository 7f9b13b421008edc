import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, Socket } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { directDialer } from './direct-dialer.ts'

const TIMEOUT = { timeout: 5_000 }
const target = (port: number, timeoutMs = 4_000) => ({ host: 'example.com', port, flowId: 'f', timeoutMs })
const code = (expected: string) => (error: unknown) => HawserError.is(error) && error.code === expected

async function server(): Promise<{ readonly port: number; readonly server: Server }> {
  const listening = createServer((socket) => socket.on('error', () => {}).end('hello'))
  listening.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  return { port: (listening.address() as AddressInfo).port, server: listening }
}

/** A socket that never connects. */
const hanging = (): Socket => new Socket()

test('direct dialer: opens a half-open stream and says which address answered', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const { port, server: listening } = await server()
  const { stream, remoteAddress, connectorId } = await directDialer(['127.0.0.1']).dial(target(port), t.signal)
  assert.deepEqual([remoteAddress, connectorId, stream.allowHalfOpen], [`127.0.0.1:${port}`, undefined, true])
  assert.equal((await once(stream, 'data')).toString(), 'hello')
  stream.destroy()
  listening.close()
})

test('direct dialer: a refused address gives way to the next at once', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const { port, server: listening } = await server()
  const { stream, remoteAddress } = await directDialer(['127.0.0.2', '127.0.0.1']).dial(target(port), t.signal)
  assert.equal(remoteAddress, `127.0.0.1:${port}`)
  stream.destroy()
  listening.close()
})

test('direct dialer: a silent address is overtaken after 250 ms, and given up', TIMEOUT, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const sockets: Socket[] = []
  const tried: string[] = []
  const dialing = directDialer(['192.0.2.1', '192.0.2.2'], (ip) => {
    tried.push(ip)
    const socket = hanging()
    sockets.push(socket)
    return socket
  }).dial(target(80), t.signal)
  t.mock.timers.tick(249)
  assert.deepEqual(tried, ['192.0.2.1'])
  t.mock.timers.tick(1)
  assert.deepEqual(tried, ['192.0.2.1', '192.0.2.2'])
  sockets[1]?.emit('connect')
  assert.equal((await dialing).remoteAddress, '192.0.2.2:80')
  assert.equal(sockets[0]?.destroyed, true)
  assert.equal(sockets[1]?.destroyed, false)
})

test('direct dialer: the first one may still win after the second has begun', TIMEOUT, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const sockets: Socket[] = []
  const connectTo = (): Socket => {
    const socket = hanging()
    sockets.push(socket)
    return socket
  }
  const dialing = directDialer(['192.0.2.1', '2001:db8::2'], connectTo).dial(target(80), t.signal)
  t.mock.timers.tick(250)
  sockets[0]?.emit('connect')
  assert.equal((await dialing).remoteAddress, '192.0.2.1:80')
  assert.equal(sockets[1]?.destroyed, true)
})

test('direct dialer: dials exactly the addresses given, in their order, and never a name', TIMEOUT, async (t) => {
  const tried: string[] = []
  const dialing = directDialer(['192.0.2.3', '192.0.2.1'], (ip) => {
    tried.push(ip)
    const socket = hanging()
    queueMicrotask(() => socket.emit('error', Object.assign(new Error('no'), { code: 'ECONNREFUSED' })))
    return socket
  }).dial(target(80), t.signal)
  await assert.rejects(dialing, code('connection_refused'))
  assert.deepEqual(tried, ['192.0.2.3', '192.0.2.1'])
})

test('direct dialer: says what tells most when all fail', TIMEOUT, async (t) => {
  const codes: Record<string, string> = { '2001:db8::1': 'ENETUNREACH', '192.0.2.1': 'ECONNREFUSED' }
  const failing = (ip: string): Socket => {
    const socket = hanging()
    queueMicrotask(() => socket.emit('error', Object.assign(new Error(ip), { code: codes[ip] })))
    return socket
  }
  for (const order of [Object.keys(codes), Object.keys(codes).toReversed()]) {
    await assert.rejects(directDialer(order, failing).dial(target(80), t.signal), code('connection_refused'))
  }
  await assert.rejects(
    directDialer(['2001:db8::1'], failing).dial(target(80), t.signal),
    code('destination_ip_unroutable'),
  )
})

test('direct dialer: no answer in time is connection_timeout', TIMEOUT, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const socket = hanging()
  const dialing = directDialer(['192.0.2.1'], () => socket).dial(target(80, 700), t.signal)
  t.mock.timers.tick(700)
  await assert.rejects(dialing, code('connection_timeout'))
  assert.equal(socket.destroyed, true)
})

test('direct dialer: is given up when the signal says so, before or meanwhile', TIMEOUT, async () => {
  const controller = new AbortController()
  const socket = hanging()
  const dialing = directDialer(['192.0.2.1'], () => socket).dial(target(80), controller.signal)
  controller.abort(new HawserError('connection_aborted', 'gone'))
  await assert.rejects(dialing, code('connection_aborted'))
  assert.equal(socket.destroyed, true)
  let tried = false
  const late = directDialer(['192.0.2.1'], () => ((tried = true), hanging())).dial(target(80), controller.signal)
  await assert.rejects(late, code('connection_aborted'))
  assert.equal(tried, false)
})

test('direct dialer: nothing to dial is destination_unavailable', TIMEOUT, async (t) => {
  await assert.rejects(directDialer([]).dial(target(80), t.signal), code('destination_unavailable'))
})
