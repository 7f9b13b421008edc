import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeConnection } from '../fixture.ts'
import { connectorResources } from './connection-resource.ts'
import { earliest, tunnelResource } from './tunnel-resource.ts'

const tunnel = { id: 'id', name: 'lab', createdAt: '2026-01-01T00:00:00.000Z', deletedAt: undefined }

test('no connections are no connectors', () => {
  assert.deepEqual(connectorResources([]), [])
})

test('every connection is listed once, under its own connector', () => {
  const connections = ['a', 'b', 'a', 'c', 'b', 'a'].map((connector, at) => fakeConnection(`c${at}`, connector))
  const resources = connectorResources(connections)
  assert.deepEqual(
    resources.map(({ id, conns }) => [id, conns.length]),
    [
      ['a', 3],
      ['b', 2],
      ['c', 1],
    ],
  )
  for (const { id, conns } of resources) assert.ok(conns.every((each) => each.client_id === id))
  assert.equal(new Set(resources.flatMap(({ conns }) => conns.map((each) => each.uuid))).size, 6)
})

test('the address of a connection is told without its port, in either family', () => {
  const origin = (remoteAddress: string): string | undefined =>
    connectorResources([{ ...fakeConnection('c', 'k'), remoteAddress }])[0]?.conns[0]?.origin_ip
  assert.equal(origin('192.0.2.7:40123'), '192.0.2.7')
  assert.equal(origin('[2001:db8::7]:40123'), '2001:db8::7')
  assert.equal(origin('[fe80::7%eth0]:40123'), 'fe80::7%eth0')
})

test('a connector runs since the oldest of its connections', () => {
  const early = Date.UTC(2026, 0, 2)
  const late = Date.UTC(2026, 0, 3)
  const connections = [fakeConnection('c1', 'k', late), fakeConnection('c2', 'k'), fakeConnection('c3', 'k', early)]
  const [connector] = connectorResources(connections)
  assert.equal(connector?.run_at, '2026-01-02T00:00:00.000Z')
  assert.deepEqual(
    connector?.conns.map((each) => each.opened_at),
    ['2026-01-03T00:00:00.000Z', null, '2026-01-02T00:00:00.000Z'],
  )
  assert.equal(earliest([fakeConnection('c2', 'k')]), null)
})

test('a tunnel is healthy while anything is connected', () => {
  assert.equal(tunnelResource(tunnel, 'account', []).status, 'inactive')
  const connected = tunnelResource(tunnel, 'account', [fakeConnection('c', 'k', 0)])
  assert.equal(connected.status, 'healthy')
  assert.equal(connected.conns_active_at, '1970-01-01T00:00:00.000Z')
  assert.deepEqual(connected.connections, [])
})
