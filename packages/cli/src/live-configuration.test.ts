import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import test from 'node:test'
import { startConnector } from '@hawser/connector'
import { HawserError, Secret } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { connectThrough, echoService, roundTrip } from './test-through.ts'
import { tunnelSite } from './test-tunnel-site.ts'

const limits = { timeout: 60_000 }

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('a deny list that is pushed holds for the next flow, and ends none', limits, async (t) => {
  assertNoLeaks(t)
  await using on = await tunnelSite(t)
  const { server, port } = await echoService()
  await using _server = server
  const connector = await on.replica()
  const running = await connectThrough(on.doors, '127.0.0.1', port)
  assert.equal(await roundTrip(running, 'before'), 'before')
  await on.edge.directory.tunnelConfigurations.put(on.tunnelId, { deny: ['127.0.0.0/8'] })
  await on.edge.configureTunnel(on.tunnelId)
  await until(() => on.edge.connections(on.tunnelId).every(({ report }) => report?.configuration === 1))
  await assert.rejects(connectThrough(on.doors, '127.0.0.1', port), /destination_ip_prohibited|HTTP\/1\.1 [45]/)
  assert.equal(await roundTrip(running, 'after'), 'after')
  await on.edge.directory.tunnelConfigurations.put(on.tunnelId, {})
  await on.edge.configureTunnel(on.tunnelId)
  await until(() => on.edge.connections(on.tunnelId).every(({ report }) => report?.configuration === 2))
  const again = await connectThrough(on.doors, '127.0.0.1', port)
  for (const socket of [running, again]) socket.destroy()
  await connector.close(0)
})

test('a replica that lost its database is passed over until its probe succeeds again', limits, async (t) => {
  assertNoLeaks(t)
  await using on = await tunnelSite(t)
  const { server, port } = await echoService()
  await using _server = server
  const probe = { type: 'tcp', host: '127.0.0.1', port, intervalMs: 1_000 }
  await on.edge.directory.tunnelConfigurations.put(on.tunnelId, { probes: [probe] })
  const lost = await on.replica({ deny: ['127.0.0.1'], connections: 1 })
  const good = await on.replica({ weight: 1, connections: 1 })
  const reported = (id: string): boolean | undefined =>
    on.edge.connections(on.tunnelId).find(({ connector }) => connector.id === id)?.report?.targets[0]?.healthy
  await until(() => reported(lost.id) === false && reported(good.id) === true)
  for (let flow = 0; flow < 5; flow += 1) {
    const socket = await connectThrough(on.doors, '127.0.0.1', port)
    socket.end().resume()
    await once(socket, 'close')
  }
  await good.close()
  await assert.rejects(connectThrough(on.doors, '127.0.0.1', port), /HTTP\/1\.1/, 'tried all the same')
  await until(() => on.edge.recentFlows().length === 6)
  assert.deepEqual(
    on.edge.recentFlows().map(({ route, error }) => [route?.connectorId, error?.code]),
    [...Array.from({ length: 5 }, () => [good.id, undefined]), [lost.id, 'destination_ip_prohibited']],
  )
  await lost.close(0)
})

test(
  'an old token opens nothing new, running connections live on, and a revocation cuts them for good',
  limits,
  async (t) => {
    assertNoLeaks(t)
    await using on = await tunnelSite(t)
    const { server, port } = await echoService()
    await using _server = server
    const running = await on.replica()
    await on.edge.directory.tunnels.update(on.tunnelId, { secret: new Secret(randomBytes(32).toString('base64')) })
    const socket = await connectThrough(on.doors, '127.0.0.1', port)
    assert.equal(await roundTrip(socket, 'lives on'), 'lives on')
    const late = await startConnector({ token: on.token, logger: on.log })
    assert.equal((await late.closed)?.code, 'tunnel_auth_failed')
    await on.connected(4)
    const cut = new Promise((resolve) => socket.once('close', resolve))
    for (const connection of on.edge.connections(on.tunnelId))
      connection.abort(new HawserError('tunnel_closed', 'revoked'))
    await cut
    for await (const status of running.status()) {
      if (status.type === 'disconnected' && status.error?.code === 'tunnel_auth_failed') break
    }
    await on.connected(0)
    await running.close(0)
    socket.destroy()
  },
)
