import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectSocket, createServer, Socket } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import test from 'node:test'
import { HawserError } from './errors.ts'
import { assertNoLeaks } from '@hawser/testkit'
import { ATTEMPT_DELAY_MS, interleave, raceConnect } from './race-connect.ts'
import type { ConnectAddress } from './race-connect.ts'

async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.on('error', () => {}).resume())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

interface Scripted {
  readonly connect: ConnectAddress
  readonly asked: string[]
  readonly sockets: Map<string, Socket>
}

/** Sockets that do what the script says of their address: fail with a code, stay silent, or really connect. */
function scripted(script: Readonly<Record<string, string>>, realPort = 0): Scripted {
  const asked: string[] = []
  const sockets = new Map<string, Socket>()
  const connect: ConnectAddress = (ip) => {
    asked.push(ip)
    const what = script[ip]
    const socket = what === 'open' ? connectSocket(realPort, '127.0.0.1') : new Socket()
    sockets.set(ip, socket)
    if (what !== undefined && what !== 'open' && what !== 'silent') {
      setImmediate(() => socket.destroy(Object.assign(new Error(`connect ${what}`), { code: what })))
    }
    return socket
  }
  return { connect, asked, sockets }
}

test('families take turns, beginning with the preferred one', () => {
  assert.deepEqual(interleave(['fd00::1', 'fd00::2', '10.0.0.1', '10.0.0.2', '10.0.0.3']), [
    'fd00::1',
    '10.0.0.1',
    'fd00::2',
    '10.0.0.2',
    '10.0.0.3',
  ])
  assert.deepEqual(interleave(['10.0.0.1', 'fd00::1']), ['10.0.0.1', 'fd00::1'])
  assert.deepEqual(interleave(['10.0.0.1']), ['10.0.0.1'])
  assert.deepEqual(interleave([]), [])
})

test('the first address that answers wins, and no other is tried', async (t) => {
  assertNoLeaks(t)
  const { server, port } = await listen()
  await using _server = server
  const { connect, asked } = scripted({ '10.0.0.1': 'open' }, port)
  const { socket, ip } = await raceConnect(['10.0.0.1', '10.0.0.2'], port, connect, {
    signal: t.signal,
    timeoutMs: 60_000,
  })
  assert.equal(ip, '10.0.0.1')
  assert.deepEqual(asked, ['10.0.0.1'])
  socket.destroy()
})

test('after a failure the next address is tried at once', async (t) => {
  assertNoLeaks(t)
  const { server, port } = await listen()
  await using _server = server
  t.mock.timers.enable({ apis: ['setTimeout'] }) // no time passes, so only the failure can move things on
  const { connect, asked } = scripted({ '10.0.0.1': 'ECONNREFUSED', '10.0.0.2': 'open' }, port)
  const { socket, ip } = await raceConnect(['10.0.0.1', '10.0.0.2'], port, connect, {
    signal: t.signal,
    timeoutMs: 60_000,
  })
  assert.equal(ip, '10.0.0.2')
  assert.deepEqual(asked, ['10.0.0.1', '10.0.0.2'])
  socket.destroy()
})

test('a silent address is overtaken after 250 ms and let go once another has won', async (t) => {
  assertNoLeaks(t)
  const { server, port } = await listen()
  await using _server = server
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { connect, asked, sockets } = scripted({ 'fd00::1': 'silent', '10.0.0.2': 'open' }, port)
  const racing = raceConnect(['fd00::1', '10.0.0.2'], port, connect, { signal: t.signal, timeoutMs: 60_000 })
  t.mock.timers.tick(ATTEMPT_DELAY_MS - 1)
  assert.deepEqual(asked, ['fd00::1'])
  t.mock.timers.tick(1)
  assert.deepEqual(asked, ['fd00::1', '10.0.0.2'])
  const { socket, ip } = await racing
  assert.equal(ip, '10.0.0.2')
  assert.equal(sockets.get('fd00::1')?.destroyed, true)
  socket.destroy()
})

test('when all fail, an unroutable family does not hide the telling failure', async (t) => {
  const { connect } = scripted({ 'fd00::1': 'ENETUNREACH', '10.0.0.1': 'ECONNREFUSED' })
  await assert.rejects(
    raceConnect(['fd00::1', '10.0.0.1'], 80, connect, { signal: t.signal, timeoutMs: 60_000 }),
    (error) => {
      assert.ok(HawserError.is(error, 'connection_refused'))
      assert.match(error.message, /^10\.0\.0\.1:80: /)
      return true
    },
  )
})

test('when all are unroutable, that is the failure', async (t) => {
  const { connect } = scripted({ 'fd00::1': 'ENETUNREACH', '10.0.0.1': 'EHOSTUNREACH' })
  await assert.rejects(
    raceConnect(['fd00::1', '10.0.0.1'], 80, connect, { signal: t.signal, timeoutMs: 60_000 }),
    (error) => HawserError.is(error, 'destination_ip_unroutable'),
  )
})

test('without an address it fails instead of waiting', async (t) => {
  await assert.rejects(raceConnect([], 80, scripted({}).connect, { signal: t.signal, timeoutMs: 60_000 }), (error) =>
    HawserError.is(error, 'destination_unavailable'),
  )
})

test('an abort lets go of every attempt and rejects with its reason', async (t) => {
  assertNoLeaks(t)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { connect, sockets } = scripted({ '10.0.0.1': 'silent', '10.0.0.2': 'silent', '10.0.0.3': 'silent' })
  const stop = new AbortController()
  const racing = raceConnect(['10.0.0.1', '10.0.0.2', '10.0.0.3'], 80, connect, {
    signal: stop.signal,
    timeoutMs: 60_000,
  })
  t.mock.timers.tick(ATTEMPT_DELAY_MS)
  const reason = new HawserError('connection_aborted', 'enough')
  stop.abort(reason)
  await assert.rejects(racing, reason)
  assert.equal(sockets.size, 2)
  for (const socket of sockets.values()) assert.equal(socket.destroyed, true)
  t.mock.timers.tick(ATTEMPT_DELAY_MS * 5)
  assert.equal(sockets.size, 2, 'no attempt starts after the abort')
})

test('an abort beforehand opens nothing', async () => {
  const { connect, asked } = scripted({})
  const reason = new HawserError('connection_aborted', 'enough')
  await assert.rejects(
    raceConnect(['10.0.0.1'], 80, connect, { signal: AbortSignal.abort(reason), timeoutMs: 60_000 }),
    reason,
  )
  assert.deepEqual(asked, [])
})

test('the winner survives an error that nobody listens for yet', async (t) => {
  assertNoLeaks(t)
  const { server, port } = await listen()
  await using _server = server
  const { connect } = scripted({ '10.0.0.1': 'open' }, port)
  const { socket } = await raceConnect(['10.0.0.1'], port, connect, { signal: t.signal, timeoutMs: 60_000 })
  socket.destroy(new Error('reset'))
  await new Promise((resolve) => socket.once('close', resolve))
})
