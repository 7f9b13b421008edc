import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeConnection } from '../fixture.ts'
import type { ApiConnection, ApiTargetHealth } from '../resource.ts'
import { targetStatus, tunnelStatus } from './tunnel-status.ts'

const seen = { activeAt: '2026-01-01T00:00:00.000Z', inactiveAt: undefined }
const db: ApiTargetHealth = { host: 'db', port: 5432, healthy: true }
const lost: ApiTargetHealth = { ...db, healthy: false, code: 'connection_refused' }

function connection(
  facts: Partial<ApiConnection> = {},
  up = 4,
  targets: readonly ApiTargetHealth[] = [],
): ApiConnection {
  return { ...fakeConnection('c', 'k'), report: { connections: { up, of: 4 }, configuration: 0, targets }, ...facts }
}

test('a tunnel without connectors was never run, or is down', () => {
  assert.equal(tunnelStatus([], undefined), 'inactive')
  assert.equal(tunnelStatus([], seen), 'down')
})

test('a tunnel is healthy with all connections of all connectors, and degraded with fewer', () => {
  assert.equal(tunnelStatus([connection()], seen), 'healthy')
  assert.equal(tunnelStatus([connection(), connection({}, 3)], seen), 'degraded')
  assert.equal(tunnelStatus([connection({ silent: true })], seen), 'degraded')
  assert.equal(tunnelStatus([fakeConnection('c', 'k')], seen), 'healthy', 'an older connector does not report')
})

test('connectors that are leaving are not counted', () => {
  const leaving = connection({ accepting: false }, 1, [lost])
  assert.equal(tunnelStatus([leaving], seen), 'down')
  assert.equal(tunnelStatus([leaving, connection()], seen), 'healthy')
  assert.equal(targetStatus([leaving]), null)
})

test('targets have a status of their own: reached by all, by some, or one of them by none', () => {
  assert.equal(targetStatus([]), null)
  assert.equal(targetStatus([connection()]), null)
  assert.equal(targetStatus([connection({}, 4, [db]), connection({}, 4, [db])]), 'healthy')
  assert.equal(targetStatus([connection({}, 4, [db]), connection({}, 4, [lost])]), 'degraded')
  assert.equal(targetStatus([connection({}, 4, [lost]), connection({}, 4, [lost])]), 'down')
  assert.equal(targetStatus([connection({}, 4, [db, { ...lost, port: 1 }]), connection({}, 4, [db])]), 'down')
})
