import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { HawserError, Secret } from '@hawser/core'
import type { BindingIdentity, BindingNetwork, Dialed } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import type { NetworkStandIns, ServiceStandIn, WorkerConfig } from '@hawser/workers'
import { StandInNetworks } from './stand-in-networks.ts'
import type { UnknownTarget } from './stand-in-networks.ts'

const LIMIT = { timeout: 10_000 }
const TUNNEL: BindingNetwork = { kind: 'tunnel', tunnelId: 't-1' }
const SERVICE: BindingNetwork = { kind: 'service', serviceId: 's-1' }

function config(
  networks: Record<string, NetworkStandIns> = {},
  services: Record<string, ServiceStandIn> = {},
): WorkerConfig {
  const office = { binding: 'OFFICE', network: TUNNEL }
  return {
    networks: [office],
    services: [{ binding: 'SVC', serviceId: 's-1' }],
    egress: office,
    standIns: { networks, services },
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
  const way = networks.way(who, network)
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

test('a token is refused with what can be written instead', () => {
  const networks = new StandInNetworks(() => {})
  assert.throws(
    () => networks.use(config({ OFFICE: { hosts: [], token: new Secret('eyJ') } })),
    /"networks\.OFFICE\.token": `hawser dev` does not join real tunnels yet; name stand-ins under "hosts" instead/,
  )
})
