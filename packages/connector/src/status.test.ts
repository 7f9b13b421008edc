import assert from 'node:assert/strict'
import test from 'node:test'
import { HawserError } from '@hawser/core'
import { StatusFeed } from './status.ts'
import type { ConnectorStatus } from './status.ts'

const connecting = (edge: string, attempt = 1, connection = 0): ConnectorStatus => ({
  type: 'connecting',
  edge,
  connection,
  attempt,
})
const connected = (edge: string): ConnectorStatus => ({ type: 'connected', edge, connection: 0, edgeId: 'e' })
const closed: ConnectorStatus = { type: 'closed', error: undefined }

async function all(statuses: AsyncIterable<ConnectorStatus>): Promise<ConnectorStatus[]> {
  const seen: ConnectorStatus[] = []
  for await (const status of statuses) seen.push(status)
  return seen
}

test('every reader gets every change, in order, up to closed', async () => {
  const feed = new StatusFeed()
  const readers = [all(feed.follow()), all(feed.follow())]
  await new Promise(setImmediate)
  feed.publish(connecting('a:1'))
  await new Promise(setImmediate)
  feed.publish(connected('a:1'))
  feed.publish(closed)
  for (const reader of readers) assert.deepEqual(await reader, [connecting('a:1'), connected('a:1'), closed])
})

test('a late reader first learns how each connection stands now', async () => {
  const feed = new StatusFeed()
  feed.publish(connecting('c:1'))
  feed.publish(connecting('b:1', 1, 1))
  feed.publish(connected('a:1'))
  const reader = all(feed.follow())
  await new Promise(setImmediate)
  feed.publish(closed)
  assert.deepEqual(await reader, [connected('a:1'), connecting('b:1', 1, 1), closed])
})

test('a reader that comes after the close gets the close and ends', async () => {
  const feed = new StatusFeed()
  const error = new HawserError('tunnel_auth_failed', 'no')
  feed.publish({ type: 'closed', error })
  feed.publish(connecting('a:1'))
  assert.deepEqual(await all(feed.follow()), [{ type: 'closed', error }])
})

test('a reader that stops reading loses the oldest changes, not the memory of the process', async () => {
  const feed = new StatusFeed()
  const reading = feed.follow()
  const first = reading.next()
  feed.publish(connecting('a:1', 0))
  assert.deepEqual((await first).value, connecting('a:1', 0))
  for (let attempt = 1; attempt <= 1000; attempt += 1) feed.publish(connecting('a:1', attempt))
  const next = await reading.next()
  assert.deepEqual(next.value, connecting('a:1', 1000 - 255))
  await reading.return()
})

test('a reader that leaves is forgotten', async () => {
  const feed = new StatusFeed()
  feed.publish(connecting('a:1'))
  for await (const status of feed.follow()) {
    assert.equal(status.type, 'connecting')
    break
  }
  feed.publish(closed)
  assert.deepEqual(await all(feed.follow()), [connecting('a:1'), closed])
})
