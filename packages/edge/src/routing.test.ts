import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { BindingIdentity, BindingNetwork } from '@hawser/core'
import { HawserError } from '@hawser/core'
import { openDirectory } from '@hawser/directory'
import type { Directory } from '@hawser/directory'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { Routing } from './routing.ts'
import type { RoutingSource } from './routing.ts'

const LIMIT = { timeout: 20_000 }
const ACCOUNT: BindingNetwork = { kind: 'network', networkId: 'cf1:network' }
const IDENTITY: BindingIdentity = { worker: 'shop', binding: 'OFFICE', network: ACCOUNT }

interface Lab {
  readonly directory: Directory
  readonly log: CapturedLog
  readonly routing: Routing
  readonly tunnelId: string
}

async function open(t: TestContext, source?: (directory: Directory) => RoutingSource): Promise<Lab> {
  assertNoLeaks(t)
  const directory = await openDirectory({ file: ':memory:', key: Buffer.alloc(32, 1) })
  t.after(() => directory.close())
  const { id: tunnelId } = await directory.tunnels.create({ name: 'lab' })
  await directory.routes.create({ network: '10.0.0.0/8', tunnelId })
  await directory.hostnameRoutes.create({ hostname: '*.internal', tunnelId })
  const log = new CapturedLog()
  const routing = await Routing.open(source?.(directory) ?? directory, log)
  t.after(() => routing.close())
  return { directory, log, routing, tunnelId }
}

/** Where a network leads: the route that decided, or the reason why none did. */
function told(routing: Routing, host: string, network: BindingNetwork = ACCOUNT): string {
  try {
    const way = routing.way(IDENTITY, network, { host, port: 80 })
    return way?.kind === 'tunnel' ? (way.matched ?? way.tunnelId) : 'undefined'
  } catch (error) {
    assert.ok(HawserError.is(error, 'destination_not_found'))
    return error.message
  }
}

/** Waits for a change to arrive, a turn at a time. */
async function until(t: TestContext, done: () => boolean): Promise<void> {
  while (!done() && !t.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('a network leads by its routes; a tunnel leads where it says', LIMIT, async (t) => {
  const { routing } = await open(t)
  assert.equal(told(routing, '10.1.2.3'), '10.0.0.0/8')
  assert.equal(told(routing, 'db.internal'), '*.internal')
  assert.equal(told(routing, 'x', { kind: 'tunnel', tunnelId: 't' }), 'undefined')
})

test('a refusal says which routes were looked at', LIMIT, async (t) => {
  const { routing } = await open(t)
  const what = 'the 1 route(s) of virtual network default (10.0.0.0/8)'
  assert.equal(told(routing, '11.0.0.1'), `11.0.0.1:80: no route leads there: none of ${what}`)
  assert.match(told(routing, 'db'), /^db:80: no route leads there: none of the 1 hostname route\(s\) \(\*\.internal\)/)
  assert.equal(
    told(routing, 'db', { kind: 'network', networkId: 'site-x' }),
    'db:80: there is no virtual network "site-x"',
  )
})

test('the virtual network that a binding names wins over the network of the account', LIMIT, async (t) => {
  const { directory, routing, tunnelId } = await open(t)
  const { id: virtualNetworkId } = await directory.virtualNetworks.create({ name: 'site-b' })
  await directory.routes.create({ network: '10.0.0.0/16', tunnelId, virtualNetworkId })
  for (const virtualNetwork of ['site-b', virtualNetworkId]) {
    const network: BindingNetwork = { ...ACCOUNT, virtualNetwork }
    await until(t, () => told(routing, '10.0.1.1', network) === '10.0.0.0/16')
    assert.match(told(routing, '10.9.0.1', network), /virtual network site-b \(10\.0\.0\.0\/16\)$/)
  }
})

test('a change of the directory is in force soon after, without a restart', LIMIT, async (t) => {
  const { directory, routing, tunnelId } = await open(t)
  const { id } = await directory.routes.create({ network: '10.1.0.0/16', tunnelId })
  await until(t, () => told(routing, '10.1.2.3') === '10.1.0.0/16')
  await directory.routes.delete(id)
  await until(t, () => told(routing, '10.1.2.3') === '10.0.0.0/8')
  const service = await directory.services.create({ name: 'db', type: 'tcp', tunnelId, host: 'db', tcpPort: 1 })
  await until(t, () => routing.service(IDENTITY, service.id) !== undefined)
  assert.equal(told(routing, 'x', { kind: 'service', serviceId: service.id }), tunnelId)
  assert.equal(told(routing, 'x', { kind: 'service', serviceId: 'none' }), 'undefined')
})

test('what another process changes is found as well', LIMIT, async (t) => {
  const { directory, routing, tunnelId } = await open(t, (source) => ({
    loadRouting: () => source.loadRouting(),
    routing: { version: () => source.routing.version(), subscribe: () => () => {} },
  }))
  await directory.routes.create({ network: '10.1.0.0/16', tunnelId })
  await until(t, () => told(routing, '10.1.2.3') === '10.1.0.0/16')
})

test('routes that cannot be read leave those in force, and one line', LIMIT, async (t) => {
  let failing = false
  const { directory, routing, tunnelId, log } = await open(t, (source) => ({
    loadRouting: () =>
      failing ? Promise.reject(new HawserError('storage_failed', 'the disk is gone')) : source.loadRouting(),
    routing: source.routing,
  }))
  failing = true
  await directory.routes.create({ network: '10.1.0.0/16', tunnelId })
  await until(t, () => log.lines.length > 0)
  assert.equal(told(routing, '10.1.2.3'), '10.0.0.0/8')
  assert.equal(log.lines[0]?.message, 'the routes could not be read again')
  failing = false
  await until(t, () => told(routing, '10.1.2.3') === '10.1.0.0/16') // at the next look, by itself
})

test('many changes at once are read at most twice', LIMIT, async (t) => {
  let loads = 0
  const { directory, routing, tunnelId } = await open(t, (source) => ({
    async loadRouting() {
      loads += 1
      const snapshot = await source.loadRouting()
      await new Promise(setImmediate)
      return snapshot
    },
    routing: source.routing,
  }))
  loads = 0
  const networks = Array.from({ length: 50 }, (_, at) => `10.1.${at}.0/24`)
  await Promise.all(networks.map((network) => directory.routes.create({ network, tunnelId })))
  await until(t, () => networks.every((network) => told(routing, network.split('/')[0] ?? '') === network))
  assert.ok(loads < 50, String(loads))
})

test('a closed one reads nothing more', LIMIT, async (t) => {
  const { directory, routing, tunnelId, log } = await open(t)
  await Promise.all([routing.close(), routing.close()])
  await directory.routes.create({ network: '10.1.0.0/16', tunnelId })
  await new Promise(setImmediate)
  assert.equal(told(routing, '10.1.2.3'), '10.0.0.0/8')
  assert.deepEqual(log.lines, [])
})
