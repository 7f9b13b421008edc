import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BindingIdentity, BindingNetwork } from '@hawser/core'
import type { HostStandIn, WorkerConfig } from '@hawser/workers'
import { WorkerNetworks } from './worker-networks.ts'

const TUNNEL: BindingNetwork = { kind: 'tunnel', tunnelId: 't' }
const PUBLIC: BindingNetwork = { kind: 'public' }

function config(name: string, publicHosts: readonly HostStandIn[] = []): WorkerConfig {
  return {
    name,
    networks: [{ binding: 'NET', network: TUNNEL }],
    services: [],
    standIns: { networks: {}, services: { SVC: { host: name, httpPort: 80 } }, egress: { hosts: publicHosts } },
  } as unknown as WorkerConfig
}

function identity(worker: string, binding = 'NET', network = TUNNEL): BindingIdentity {
  return { worker, binding, network }
}

test('each Worker has the networks of its own files', () => {
  const networks = new WorkerNetworks(() => {})
  const host = { match: { host: 'db.example.com' }, host: '127.0.0.1', written: 'db.example.com' }
  networks.use([config('a', [host]), config('b')])
  const target = { host: 'db.example.com', port: 5432 }
  assert.notEqual(networks.standIn(identity('a', 'egress', PUBLIC), target), undefined)
  assert.equal(networks.standIn(identity('b', 'egress', PUBLIC), target), undefined)
  assert.equal(networks.service(identity('b', 'SVC'))?.host, 'b')
  assert.equal(networks.way(identity('b'), TUNNEL, target).kind, 'local')
  assert.equal(networks.identityOf(identity('a')).worker, 'a')
})

test('a Worker that is not among them is a fault, and what is wrong changes nothing', () => {
  const networks = new WorkerNetworks(() => {})
  networks.use([config('a')])
  assert.throws(() => networks.service(identity('b')), { code: 'proxy_internal_error' })
  process.env['HAWSER_TOKEN_NET'] = 'none'
  try {
    assert.throws(() => networks.use([config('b')]), { code: 'config_invalid' })
  } finally {
    delete process.env['HAWSER_TOKEN_NET']
  }
  assert.equal(networks.service(identity('a', 'SVC'))?.host, 'a')
})
