import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BindingIdentity } from '@hawser/core'
import { FakeCall, PUBLIC, TUNNEL } from './fake-flow.ts'
import { identify } from './identify.ts'

const IDENTITY: BindingIdentity = { worker: 'shop', version: '7', binding: 'DB', network: TUNNEL }

test('identify: the record says who calls, from the binding and nothing else', () => {
  const flow = identify(IDENTITY, new FakeCall('db.internal', 5432), 1_700_000_000_000)
  assert.deepEqual(
    { ...flow, id: '' },
    {
      id: '',
      startedAt: 1_700_000_000_000,
      worker: 'shop',
      version: '7',
      binding: 'DB',
      network: TUNNEL,
      kind: 'connect',
      requested: 'db.internal:5432',
      bytesSent: 0,
      bytesReceived: 0,
      timings: {},
    },
  )
})

test('identify: the address is recorded as the Worker wrote it', () => {
  const requested = (host: string): string => identify(IDENTITY, new FakeCall(host, 1), 0).requested
  assert.equal(requested('DB.Internal.'), 'DB.Internal.:1')
  assert.equal(requested('[::1]'), '[::1]:1')
})

test('identify: connect() may lead elsewhere than fetch()', () => {
  const identity: BindingIdentity = { worker: 'shop', binding: 'egress', network: PUBLIC, connectNetwork: TUNNEL }
  assert.equal(identify(identity, new FakeCall('a', 1), 0).network, TUNNEL)
  assert.equal(identify({ ...identity, connectNetwork: undefined }, new FakeCall('a', 1), 0).network, PUBLIC)
})
