import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import test from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { hawserProcess } from './test-process.ts'
import { connectThrough, echoService, roundTrip } from './test-through.ts'
import { tunnelSite } from './test-tunnel-site.ts'
import type { TunnelSite } from './test-tunnel-site.ts'

const limits = { timeout: 120_000 }

const lostBy = ({ log }: TunnelSite): unknown[] =>
  log.lines.filter(({ message }) => message === 'connector disconnected').map(({ fields }) => fields['code'])

test('a connector that is stopped is passed over for its replica, found dead, and comes back', limits, async (t) => {
  assertNoLeaks(t)
  await using on = await tunnelSite(t)
  const { server, port } = await echoService()
  await using _server = server
  const line = ['connector', 'run', '--token-file', on.tokenFile, '--connections', '2', '--weight', '90']
  await using stopped = hawserProcess(line)
  await on.connected(2)
  await using _standby = await on.replica({ weight: 10, connections: 2 })
  stopped.signal('SIGSTOP')
  for (let flow = 0; flow < 3; flow += 1) {
    const socket = await connectThrough(on.doors, '127.0.0.1', port)
    assert.equal(await roundTrip(socket, 'still served'), 'still served')
    socket.destroy()
  }
  assert.ok(on.edge.recentFlows().every(({ error }) => error === undefined))
  await on.connected(2) // those of the replica
  assert.deepEqual(lostBy(on), ['tunnel_timeout', 'tunnel_timeout'])
  stopped.signal('SIGCONT')
  await on.connected(4)
  await stopped.stop()
  await _standby.close(0)
})

test('a link that goes silent is noticed at both of its ends', limits, async (t) => {
  assertNoLeaks(t)
  await using on = await tunnelSite(t)
  const sockets = new Set<Socket>()
  let silent = false
  const carry = (from: Socket, to: Socket): void => {
    sockets.add(from)
    from.on('error', () => {})
    from.on('data', (chunk) => !silent && to.write(chunk))
    from.on('close', () => !silent && to.destroy())
  }
  const link = createServer((near) => {
    const far = connect(on.edge.tunnelAddress)
    carry(near, far)
    carry(far, near)
  }).listen(0, '127.0.0.1')
  await once(link, 'listening')
  const { port } = link.address() as AddressInfo
  const connector = await on.replica({ edges: [`127.0.0.1:${port}`], connections: 1 })
  silent = true
  for await (const status of connector.status()) {
    if (status.type !== 'disconnected') continue
    assert.equal(status.error?.code, 'tunnel_timeout')
    break
  }
  await on.connected(0)
  assert.deepEqual(lostBy(on), ['tunnel_timeout'])
  await connector.close(0)
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => link.close(resolve))
})
