import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import test from 'node:test'
import { HawserError } from '@hawser/core'
import type { BindingIdentity, BindingNetwork } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import type { WorkerConfig } from '@hawser/workers'
import { nameOf, PrivateNetworks, readServedTarget } from './private-networks.ts'

const LIMIT = { timeout: 10_000 }
const TUNNEL: BindingNetwork = { kind: 'tunnel', tunnelId: 't-1' }

const CONFIG = {
  networks: [
    { binding: 'OFFICE', network: TUNNEL },
    { binding: 'LAB', network: TUNNEL },
  ],
  services: [{ binding: 'ORDERS', serviceId: 's-1' }],
  egress: { binding: 'LAB', network: TUNNEL },
  standIns: { networks: {}, services: {}, egress: { hosts: [] } },
} as unknown as WorkerConfig

/** Networks whose services are ports that are never dialled: a call fails with the port it chose. */
class Served {
  readonly networks: PrivateNetworks
  readonly dialled: string[] = []
  #port = 0

  constructor() {
    this.networks = new PrivateNetworks({}, (flowId, binding, { host, port }) => {
      this.dialled.push(`${flowId} ${binding} ${host}:${port}`)
    })
    this.networks.use(CONFIG)
  }

  /** @returns what {@link asked} says of calls that come here */
  serve(binding: string, target: number | string): { readonly name: string; readonly takeBack: () => void } {
    const name = `service ${(this.#port += 1)}`
    const listening = Promise.reject(new HawserError('listen_failed', name))
    listening.catch(() => {})
    return { name, takeBack: this.networks.serve(binding, readServedTarget(target), { listening }) }
  }

  async asked(binding: string, host: string, port: number): Promise<string> {
    const identity: BindingIdentity = { worker: 'w', binding, network: TUNNEL }
    const way = this.networks.way(identity, TUNNEL, { host, port })
    assert.ok(way.kind === 'local')
    const target = { host, port, flowId: 'f', timeoutMs: 5_000 }
    const error: unknown = await way.dialer.dial(target, AbortSignal.timeout(5_000)).catch((thrown: unknown) => thrown)
    return HawserError.is(error, 'listen_failed') ? error.message : 'this machine'
  }
}

test('of what is served, what says more about the call answers it, then what came later', LIMIT, async (t) => {
  assertNoLeaks(t)
  const served = new Served()
  const port = served.serve('OFFICE', 1)
  const wildcard = served.serve('OFFICE', '*.internal')
  const host = served.serve('OFFICE', 'db.internal')
  const exact = served.serve('OFFICE', 'db.internal:1')
  assert.equal(await served.asked('OFFICE', 'db.internal', 1), exact.name)
  assert.equal(await served.asked('OFFICE', 'db.internal', 2), host.name)
  assert.equal(await served.asked('OFFICE', 'api.internal', 1), wildcard.name)
  assert.equal(await served.asked('OFFICE', '10.0.0.1', 1), port.name)
  const later = served.serve('OFFICE', 'db.internal:1')
  assert.equal(await served.asked('OFFICE', 'db.internal', 1), later.name)
  later.takeBack()
  later.takeBack()
  assert.equal(await served.asked('OFFICE', 'db.internal', 1), exact.name)
})

test('a binding has what is served on it and nothing else; global calls have what egress names', LIMIT, async (t) => {
  assertNoLeaks(t)
  const served = new Served()
  const office = served.serve('OFFICE', 1)
  const lab = served.serve('LAB', 1)
  const orders = served.serve('ORDERS', 1)
  assert.equal(await served.asked('OFFICE', '10.0.0.1', 1), office.name)
  assert.equal(await served.asked('LAB', '10.0.0.1', 1), lab.name)
  assert.equal(await served.asked('ORDERS', '10.0.0.1', 1), orders.name)
  assert.equal(await served.asked('egress', '10.0.0.1', 1), lab.name)
  assert.deepEqual(served.dialled.slice(2), ['f ORDERS 10.0.0.1:1', 'f egress 10.0.0.1:1'])
})

test('what nobody serves is this machine', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using server = createServer((socket) => socket.end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const served = new Served()
  const way = served.networks.way({ worker: 'w', binding: 'OFFICE', network: TUNNEL }, TUNNEL, {
    host: 'db.internal',
    port,
  })
  assert.ok(way.kind === 'local')
  const target = { host: 'db.internal', port, flowId: 'f', timeoutMs: 5_000 }
  const { stream, remoteAddress } = await way.dialer.dial(target, AbortSignal.timeout(5_000))
  stream.destroy()
  assert.equal(remoteAddress, `127.0.0.1:${port}`)
})

test('a binding that the Worker does not have is refused, with the names of those it has', () => {
  const { networks } = new Served()
  networks.check('networks', 'LAB')
  networks.check('services', 'ORDERS')
  const refused = (kind: 'networks' | 'services', name: string, message: string): void => {
    assert.throws(() => networks.check(kind, name), { code: 'options_invalid', message })
  }
  refused('networks', 'X', 'network("X"): no such binding of "vpc_networks" (there are: OFFICE, LAB)')
  refused(
    'networks',
    'ORDERS',
    'network("ORDERS"): no such binding of "vpc_networks" (there are: OFFICE, LAB); it is one of "vpc_services": ask service()',
  )
  const none = new PrivateNetworks({}, () => {})
  none.use({ ...CONFIG, services: [] })
  assert.throws(() => none.check('services', 'X'), /\(there are none\)/)
})

test('targets are ports, hosts, wildcards, and these with ports', () => {
  assert.deepEqual(readServedTarget(5432), { port: 5432 })
  assert.deepEqual(readServedTarget('5432'), { port: 5432 })
  assert.deepEqual(readServedTarget('DB.Internal'), { host: 'db.internal' })
  assert.deepEqual(readServedTarget('*.internal:80'), { host: '*.internal', port: 80 })
  assert.deepEqual(readServedTarget('[fd00::1]:80'), { host: 'fd00::1', port: 80 })
  for (const wrong of [0, 65_536, 1.5, -1, Number.NaN, '', '0', 'a b', 'db:0', 'http://db', 'db:port', '10.0.0.999']) {
    assert.throws(() => readServedTarget(wrong), {
      code: 'options_invalid',
      message: /^serve\(\): the (?:port|target) must be/,
    })
  }
})

test('targets have names for messages', () => {
  assert.equal(nameOf('OFFICE', {}), 'OFFICE')
  assert.equal(nameOf('OFFICE', { port: 1 }), 'OFFICE port 1')
  assert.equal(nameOf('OFFICE', { host: 'db' }), 'OFFICE db')
  assert.equal(nameOf('OFFICE', { host: 'fd00::1', port: 1 }), 'OFFICE [fd00::1]:1')
})
