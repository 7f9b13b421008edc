import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { HawserError, Secret } from '@hawser/core'
import type { BindingIdentity, BindingNetwork, Dialed } from '@hawser/core'
import { assertNoLeaks, createAuthority } from '@hawser/testkit'
import type { NetworkStandIns, ServiceStandIn, WorkerConfig } from '@hawser/workers'
import { StandInNetworks } from './stand-in-networks.ts'
import type { UnknownTarget } from './stand-in-networks.ts'

const LIMIT = { timeout: 10_000 }
const TUNNEL: BindingNetwork = { kind: 'tunnel', tunnelId: 't-1' }
const SERVICE: BindingNetwork = { kind: 'service', serviceId: 's-1' }

function config(
  networks: Record<string, NetworkStandIns> = {},
  services: Record<string, ServiceStandIn> = {},
  publicHosts: NetworkStandIns['hosts'] = [],
): WorkerConfig {
  const office = { binding: 'OFFICE', network: TUNNEL }
  return {
    networks: [office],
    services: [{ binding: 'SVC', serviceId: 's-1' }],
    egress: office,
    standIns: { networks, services, egress: { hosts: publicHosts } },
  } as unknown as WorkerConfig
}

function identity(binding: string, network: BindingNetwork): BindingIdentity {
  return { worker: 'w', binding, network }
}

async function listener() {
  const server = createServer((socket) => socket.end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

function dial(
  networks: StandInNetworks,
  who: BindingIdentity,
  network: BindingNetwork,
  host: string,
  port: number,
): Promise<Dialed> {
  const way = networks.way(who, network, { host, port })
  assert.ok(way.kind === 'local')
  return way.dialer.dial({ host, port, flowId: 'f', timeoutMs: 5_000 }, AbortSignal.timeout(5_000))
}

test('a host without a stand-in is this machine, on the same port, and that is told', LIMIT, async (t) => {
  assertNoLeaks(t)
  const { server, port } = await listener()
  await using _server = server
  const unknown: UnknownTarget[] = []
  const networks = new StandInNetworks((target) => unknown.push(target))
  networks.use(config())
  const { stream, remoteAddress } = await dial(networks, identity('OFFICE', TUNNEL), TUNNEL, 'db.internal', port)
  stream.destroy()
  assert.equal(remoteAddress, `127.0.0.1:${port}`)
  assert.deepEqual(
    unknown.map(({ binding, target }) => [binding, target.host]),
    [['OFFICE', 'db.internal']],
  )
})

test('a stand-in is dialled in place of the host, by egress too', LIMIT, async (t) => {
  assertNoLeaks(t)
  const { server, port } = await listener()
  await using _server = server
  const networks = new StandInNetworks(() => assert.fail('there is a stand-in'))
  const hosts = [{ match: { host: 'db.internal', port: 5432 }, host: '127.0.0.1', port, written: 'db.internal:5432' }]
  networks.use(config({ OFFICE: { hosts } }))
  for (const binding of ['OFFICE', 'egress']) {
    const { stream, remoteAddress } = await dial(networks, identity(binding, TUNNEL), TUNNEL, 'db.internal', 5432)
    stream.destroy()
    assert.equal(remoteAddress, `127.0.0.1:${port}`)
  }
})

test('a public host has a stand-in where one is named, and else none', LIMIT, async (t) => {
  assertNoLeaks(t)
  const { server, port } = await listener()
  await using _server = server
  const networks = new StandInNetworks(() => assert.fail('public hosts are not unknown'))
  const match = { host: 'db.example.com', port: 5432 }
  networks.use(config({}, {}, [{ match, host: '127.0.0.1', port, written: 'db.example.com:5432' }]))
  const who = identity('egress', { kind: 'public' })
  const target = { host: 'db.example.com', port: 5432 }
  const dialed = await networks
    .standIn(who, target)
    ?.dial({ ...target, flowId: 'f', timeoutMs: 5_000 }, AbortSignal.timeout(5_000))
  dialed?.stream.destroy()
  assert.equal(dialed?.remoteAddress, `127.0.0.1:${port}`)
  assert.equal(networks.standIn(who, { ...target, port: 5433 }), undefined)
  assert.equal(networks.standIn(who, { ...target, host: 'example.com' }), undefined)
})

test('a stand-in that nobody answers at is named, and what it stands in for', LIMIT, async (t) => {
  assertNoLeaks(t)
  const { server, port } = await listener()
  server.close()
  await once(server, 'close')
  const networks = new StandInNetworks(() => {})
  networks.use(config())
  await assert.rejects(dial(networks, identity('OFFICE', TUNNEL), TUNNEL, 'db.internal', port), (error) => {
    assert.ok(HawserError.is(error, 'connection_refused'))
    assert.match(error.message, /^localhost:\d+, which stands in for db\.internal:\d+: the target refused/)
    return true
  })
  await assert.rejects(
    dial(networks, identity('SVC', SERVICE), SERVICE, '127.0.0.1', port),
    /^HawserError: 127\.0\.0\.1:\d+: the target refused the TCP connection$/,
  )
})

test('a service is its stand-in; without one, it is a network of whatever the call names', () => {
  const networks = new StandInNetworks(() => {})
  const registered = { host: '127.0.0.1', httpPort: 8080 }
  const who = identity('SVC', SERVICE)
  networks.use(config())
  assert.deepEqual(networks.identityOf(who).network, { kind: 'network', networkId: 's-1' })
  networks.use(config({}, { SVC: registered }))
  assert.equal(networks.identityOf(who), who)
  assert.deepEqual(networks.service(who), registered)
  const office = identity('OFFICE', TUNNEL)
  assert.equal(networks.identityOf(office), office)
})

const TOKEN = { client: 'c', secret: 'A'.repeat(44), edges: ['127.0.0.1:1'], ca: (await createAuthority()).caPem }

function token(fields: object): Secret {
  return new Secret(Buffer.from(JSON.stringify(fields)).toString('base64'))
}

test('with a token the network is the real one, but for the hosts that have a stand-in', LIMIT, async (t) => {
  assertNoLeaks(t)
  const networks = new StandInNetworks(() => assert.fail('nothing is unknown'))
  const hosts = [{ match: { host: 'db.internal' }, host: '127.0.0.1', written: 'db.internal' }]
  networks.use(config({ OFFICE: { hosts, token: token(TOKEN) } }))
  const who = identity('OFFICE', TUNNEL)
  assert.equal(networks.way(who, TUNNEL, { host: 'db.internal', port: 1 }).kind, 'local')
  const way = networks.way(identity('egress', TUNNEL), TUNNEL, { host: 'api.internal', port: 1 })
  assert.ok(way.kind === 'edge')
  const target = { host: 'api.internal', port: 1, flowId: 'f', timeoutMs: 5_000 }
  await assert.rejects(way.dialer.dial(target, AbortSignal.timeout(5_000)), (error) => {
    assert.ok(HawserError.is(error, 'destination_unavailable'))
    assert.match(error.message, /^no edge of the token can be reached: 127\.0\.0\.1:1: connect ECONNREFUSED/)
    return true
  })
})

test('a token that is none is refused with where it was written', (t) => {
  const networks = new StandInNetworks(() => {})
  const use = (fields: object): void => networks.use(config({ OFFICE: { hosts: [], token: token(fields) } }))
  assert.throws(() => use({ a: '0', t: '1', s: 'hunter2' }), {
    code: 'config_invalid',
    message:
      /^hawser\.jsonc: "networks\.OFFICE\.token": .*for connectors, not for programs; `hawser client token NAME`/,
  })
  assert.throws(() => use({ ...TOKEN, ca: '-----BEGIN CERTIFICATE-----' }), /token": token: its CA is not one/)
  assert.throws(() => use({ ...TOKEN, edges: [] }), /"networks\.OFFICE\.token": token: it names no edge/)
  process.env['HAWSER_TOKEN_OFFICE'] = 'hunter2'
  t.after(() => delete process.env['HAWSER_TOKEN_OFFICE'])
  assert.throws(() => use(TOKEN), /^HawserError: HAWSER_TOKEN_OFFICE: not the token of a client: expected what/)
})
