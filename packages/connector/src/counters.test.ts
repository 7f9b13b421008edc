import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import test from 'node:test'
import { HawserError } from '@hawser/core'
import { assertNoLeaks, tcpPair } from '@hawser/testkit'
import { ConnectorCounters } from './counters.ts'

test('a connection is open until it closes, and its bytes count then', { timeout: 10_000 }, async (t) => {
  assertNoLeaks(t)
  const counters = new ConnectorCounters()
  const [ours, target] = await tcpPair()
  counters.opened(ours, 3)
  assert.deepEqual([counters.sessions, counters.activeSessions], [1, 1])
  target.resume()
  ours.resume()
  ours.end('four')
  target.end('seven!!')
  await once(ours, 'close')
  assert.deepEqual([counters.sessions, counters.activeSessions], [1, 0])
  assert.deepEqual([counters.bytesSent, counters.bytesReceived], [4, 7])
  assert.equal(counters.dialMs.sum, 3)
})

test('a connection that is reset counts what it had moved', { timeout: 10_000 }, async (t) => {
  assertNoLeaks(t)
  const counters = new ConnectorCounters()
  const [ours, target] = await tcpPair()
  ours.on('error', () => {})
  counters.opened(ours, 0)
  target.write('seven!!')
  await once(ours, 'data')
  const closed = new Promise((resolve) => ours.once('close', resolve))
  ours.destroy(new Error('reset'))
  await closed
  target.destroy()
  assert.deepEqual([counters.activeSessions, counters.bytesSent, counters.bytesReceived], [0, 0, 7])
})

test('a stream that counts no bytes is counted as a connection', { timeout: 10_000 }, async () => {
  const counters = new ConnectorCounters()
  const stream = new PassThrough()
  counters.opened(stream, 0)
  stream.destroy()
  await once(stream, 'close')
  assert.deepEqual([counters.sessions, counters.activeSessions, counters.bytesSent], [1, 0, 0])
})

test('requests that came to nothing are told apart by code', () => {
  const counters = new ConnectorCounters()
  counters.refused(new HawserError('dns_error', 'no'))
  counters.refused(new HawserError('dns_error', 'no'))
  counters.refused(new TypeError('a fault'))
  assert.deepEqual(Object.fromEntries(counters.requestErrors), { dns_error: 2, proxy_internal_error: 1 })
})

test('registrations are counted by outcome and passed on; giving up is no failure', { timeout: 10_000 }, async () => {
  const counters = new ConnectorCounters()
  assert.equal(await counters.register(Promise.resolve('edge-1')), 'edge-1')
  for (const code of ['tunnel_auth_failed', 'connection_aborted'] as const) {
    await assert.rejects(counters.register(Promise.reject(new HawserError(code, 'no'))), { code })
  }
  assert.equal(counters.registrations, 1)
  assert.deepEqual(Object.fromEntries(counters.registrationErrors), { tunnel_auth_failed: 1 })
})
