import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'
import { HawserError, silentLogger } from '@hawser/core'
import { advertisedEdges, advertisedToClients, checkEdgeOptions } from './options.ts'
import type { EdgeOptions } from './options.ts'
import { OwnListeners } from './own-listeners.ts'

const VALID: EdgeOptions = { dataDir: '/x', tunnel: { host: '127.0.0.1', port: 0 }, logger: silentLogger }
const naming = (field: string) => (error: unknown) => HawserError.is(error) && error.message.startsWith(`${field}:`)

test('options: valid ones pass', () => {
  checkEdgeOptions(VALID)
  checkEdgeOptions({ ...VALID, advertise: ['edge.example.com:7844', '[2001:db8::1]:1'], onFlow: () => {} })
})

test('options: a wrong one is named', () => {
  assert.throws(() => checkEdgeOptions({ ...VALID, dataDir: '' }), naming('dataDir'))
  assert.throws(() => checkEdgeOptions({ ...VALID, advertise: ['a:1', 'b'] }), naming('advertise[1]'))
  assert.throws(() => checkEdgeOptions({ ...VALID, advertise: ['a:0'] }), naming('advertise[0]'))
  assert.throws(() => checkEdgeOptions({ ...VALID, datadir: '/x' } as EdgeOptions), naming('datadir'))
})

test('advertised edges: those asked for, else what is listened on, else this host by name', () => {
  const listening = { host: '127.0.0.1', port: 7844 }
  assert.deepEqual(advertisedEdges(['a:1', 'b:2'], listening), ['a:1', 'b:2'])
  assert.deepEqual(advertisedEdges([], listening), ['127.0.0.1:7844'])
  assert.deepEqual(advertisedEdges(undefined, { host: '::1', port: 1 }), ['[::1]:1'])
  for (const host of ['0.0.0.0', '::']) {
    assert.deepEqual(advertisedEdges(undefined, { host, port: 7844 }), [`${hostname()}:7844`])
  }
})

test('clients are told the hosts that are advertised to connectors, each once, with the port for clients', () => {
  const listening = { host: '127.0.0.1', port: 7846 }
  assert.deepEqual(advertisedToClients(['a:1', 'b:2', 'a:3', '[::1]:4'], listening), ['a:7846', 'b:7846', '[::1]:7846'])
  for (const none of [undefined, []]) assert.deepEqual(advertisedToClients(none, listening), ['127.0.0.1:7846'])
})

test('own listeners: what was added is listed until it is taken back, once each', () => {
  const listeners = new OwnListeners()
  const address = { host: '127.0.0.1', port: 1 }
  const takeBack = listeners.add(address)
  listeners.add(address)
  assert.equal(listeners.list().length, 2)
  takeBack()
  takeBack()
  assert.deepEqual(listeners.list(), [address])
})
