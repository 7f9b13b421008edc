import assert from 'node:assert/strict'
import test from 'node:test'
import { standInFor } from '@hawser/workers'
import type { HostStandIn, WorkerConfig } from '@hawser/workers'
import { withStandIns } from './stand-in-options.ts'

function entry(host: string, to: string): HostStandIn {
  return { match: { host }, host: to, written: host }
}

const CONFIG = {
  name: 'app',
  networks: [{ binding: 'OFFICE' }, { binding: 'LAB' }],
  services: [{ binding: 'ORDERS', serviceId: 's-1' }],
  standIns: {
    networks: {
      OFFICE: { hosts: [entry('db.internal', 'file-db'), entry('api.internal', 'file-api')] },
      LAB: { hosts: [entry('db.internal', 'lab-db')] },
    },
    services: { ORDERS: { host: 'file-orders', httpPort: 1 } },
    egress: { hosts: [entry('api.example.com', 'file-public')] },
  },
} as unknown as WorkerConfig

test('entries of a test take the place of those for the same host, and leave the others', () => {
  const hosts = { 'DB.internal': '127.0.0.1:55432', '*.svc.internal:80': '[::1]' }
  const { standIns, name } = withStandIns(CONFIG, { networks: { OFFICE: { hosts } } })
  const { OFFICE, LAB } = standIns.networks
  assert.equal(name, 'app')
  assert.deepEqual(standInFor(OFFICE, 'db.internal', 5432), { host: '127.0.0.1', port: 55_432 })
  assert.deepEqual(standInFor(OFFICE, 'a.svc.internal', 80), { host: '::1', port: 80 })
  assert.deepEqual(standInFor(OFFICE, 'api.internal', 80), { host: 'file-api', port: 80 })
  assert.deepEqual(standInFor(LAB, 'db.internal', 1), { host: 'lab-db', port: 1 })
})

test('public hosts of a test come before those of the file', () => {
  const { standIns } = withStandIns(CONFIG, { egress: { hosts: { 'db.example.com:5432': 'localhost:1' } } })
  assert.deepEqual(standInFor(standIns.egress, 'db.example.com', 5432), { host: 'localhost', port: 1 })
  assert.deepEqual(standInFor(standIns.egress, 'api.example.com', 80), { host: 'file-public', port: 80 })
  assert.throws(() => withStandIns(CONFIG, { egress: { hosts: { 'a/b': 'c' } } }), /egress\.hosts: must be a host name/)
})

test('a service of a test takes the place of the whole entry', () => {
  const { standIns } = withStandIns(CONFIG, { services: { ORDERS: { host: 'Orders.test', tcpPort: 2 } } })
  assert.deepEqual({ ...standIns.services }, { ORDERS: { host: 'orders.test', tcpPort: 2 } })
})

test('without options the configuration stays as it is', () => {
  const { standIns } = withStandIns(CONFIG, {})
  assert.deepEqual({ ...standIns.networks }, CONFIG.standIns.networks)
  assert.deepEqual({ ...standIns.services }, CONFIG.standIns.services)
  assert.equal(standIns.services['constructor'], undefined)
})

test('ports of a service are ports', () => {
  for (const httpPort of [0, 65_536, 1.5, '80' as unknown as number]) {
    assert.throws(() => withStandIns(CONFIG, { services: { ORDERS: { host: 'x', httpPort } } }), {
      code: 'options_invalid',
      message: `services.ORDERS.httpPort: must be a port from 1 to 65535, got ${JSON.stringify(httpPort)}`,
    })
  }
})
