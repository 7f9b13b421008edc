import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import type { Dialer } from '@hawser/core'
import { CapturedLog } from '@hawser/testkit'
import { FakeConnection } from './fake-connection.ts'
import { Tunnels } from './tunnels.ts'

const registry = (tunnel?: { name: string; deletedAt?: string }): { tunnels: Tunnels; log: CapturedLog } => {
  const log = new CapturedLog()
  return { tunnels: new Tunnels({ get: () => Promise.resolve(tunnel) }, log), log }
}

test('tunnels: connections of one connector stand together, however they come', () => {
  const { tunnels } = registry()
  for (const [at, connectorId] of ['x', 'y', 'x', 'z', 'y', 'x'].entries()) {
    tunnels.add(new FakeConnection(`${at}`, { connectorId }))
  }
  assert.deepEqual(
    tunnels.of('t1').map(({ id }) => id),
    ['0', '2', '5', '1', '4', '3'],
  )
})

test('tunnels: the connector with the fewest flows is picked', () => {
  const { tunnels } = registry()
  const [busy, quiet] = [new FakeConnection('a'), new FakeConnection('b', { connectorId: 'c2' })]
  busy.activeStreams = 5
  tunnels.add(busy)
  tunnels.add(quiet)
  assert.equal(tunnels.pick('t1'), quiet)
  quiet.activeStreams = 6
  assert.equal(tunnels.pick('t1'), busy)
  assert.equal(tunnels.pick('t1', new Set<Dialer>([busy])), quiet)
  assert.equal(tunnels.pick('t1', new Set<Dialer>([busy, quiet])), undefined)
  assert.equal(tunnels.pick('t2'), undefined)
})

test('tunnels: a connection that closes is out of service, and logged', async () => {
  const { tunnels, log } = registry()
  const [first, second] = [new FakeConnection('a'), new FakeConnection('b')]
  tunnels.add(first)
  tunnels.add(second)
  await first.close()
  await new Promise(setImmediate)
  assert.deepEqual(tunnels.of('t1'), [second])
  second.abort(new HawserError('tunnel_timeout', 'silent'))
  await new Promise(setImmediate)
  assert.deepEqual(tunnels.of('t1'), [])
  assert.deepEqual(
    log.lines.map((line) => [line.message, line.fields['connection'], line.fields['code']]),
    [
      ['connector connected', 'a', undefined],
      ['connector connected', 'b', undefined],
      ['connector disconnected', 'a', undefined],
      ['connector disconnected', 'b', 'tunnel_timeout'],
    ],
  )
})

test('tunnels: the reason why none is there says what to do', async () => {
  const cases = [
    [undefined, /there is no tunnel t1/],
    [{ name: 'lab', deletedAt: '2030-01-01' }, /lab \(t1\) has been deleted/],
    [{ name: 'lab' }, /lab \(t1\) has no connector now.*hawser connector run/],
  ] as const
  for (const [tunnel, expected] of cases) {
    const error = await registry(tunnel).tunnels.explain('t1')
    assert.equal(error.code, 'destination_unavailable')
    assert.match(error.message, expected)
  }
})
