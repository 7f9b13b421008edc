import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { readStatus, TestSite } from '../test-site.ts'

const TIMEOUT = { timeout: 10_000 }
const ADDRESS = 'db.internal:5432'
const INVOCATION = 'abcdefghijkl'

/** A target that holds what is opened, and an edge in front of it. */
async function siteWith(connectionLimit?: number): Promise<TestSite> {
  const site = await TestSite.open({ identity: { connectionLimit } })
  await site.serve(ADDRESS, (socket) => socket.on('end', () => socket.end()).resume())
  return site
}

async function openMany(
  site: TestSite,
  count: number,
  invocation = INVOCATION,
  operation: 'c' | 'u' = 'c',
): Promise<Socket[]> {
  const sockets: Socket[] = []
  for (let call = 0; call < count; call += 1) {
    const { status, socket } = await site.connect(ADDRESS, `${invocation}${call}`, operation)
    assert.equal(status, 200)
    sockets.push(socket)
  }
  return sockets
}

/** A CONNECT that is on its way; resolves once the edge has it. */
async function ask(site: TestSite, id: string): Promise<{ readonly socket: Socket; readonly status: Promise<number> }> {
  const { size } = site.binding.open
  const socket = await site.knock('tcp')
  socket.write(`CONNECT ${site.authority(ADDRESS, id)} HTTP/1.1\r\n\r\n`)
  while (site.binding.open.size === size) await new Promise(setImmediate)
  const status = readStatus(socket)
  status.catch(() => {})
  return { socket, status }
}

async function settled(status: Promise<number>): Promise<boolean> {
  for (let turn = 0; turn < 30; turn += 1) await new Promise(setImmediate)
  return Promise.race([status.then(() => true), Promise.resolve(false)])
}

test('invocation limit: the seventh connection waits until one of the six closes', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith()
  const [first] = await openMany(site, 6)
  const seventh = await ask(site, `${INVOCATION}7`)
  assert.equal(await settled(seventh.status), false)
  assert.equal(site.network.dialed.length, 6)
  first?.end()
  assert.equal(await seventh.status, 200)
  await site.flowsEnded(1)
})

test('invocation limit: those that wait go in the order in which they came', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith(1)
  const [first] = await openMany(site, 1)
  const second = await ask(site, `${INVOCATION}a`)
  const third = await ask(site, `${INVOCATION}b`)
  first?.destroy()
  assert.equal(await second.status, 200)
  assert.equal(await settled(third.status), false)
  second.socket.destroy()
  assert.equal(await third.status, 200)
  assert.ok(((await site.flowsEnded(2))[1]?.timings.admit ?? 0) > 0)
})

test('invocation limit: a Worker that gives up waiting leaves the queue', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith(1)
  const [first] = await openMany(site, 1)
  const second = await ask(site, `${INVOCATION}a`)
  const third = await ask(site, `${INVOCATION}b`)
  second.socket.destroy()
  const [flow] = await site.flowsEnded(1)
  assert.deepEqual([flow?.outcome, flow?.error?.step], ['aborted', 'admit'])
  first?.destroy()
  assert.equal(await third.status, 200)
})

test('invocation limit: invocations do not wait for one another', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith(1)
  await openMany(site, 1, 'aaaaaaaaaaaa')
  await openMany(site, 1, 'bbbbbbbbbbbb')
  assert.equal(site.services.invocations.size, 2)
})

test('invocation limit: one invocation has one limit, whatever binding it uses', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith(1)
  const [first] = await openMany(site, 1)
  await using other = await site.openBinding({ binding: 'OTHER', connectionLimit: 1 })
  const authority = site
    .authority(ADDRESS, `${INVOCATION}x`)
    .replace(site.binding.capability.reveal(), other.capability.reveal())
  const socket = await site.knock('tcp')
  socket.write(`CONNECT ${authority} HTTP/1.1\r\n\r\n`)
  const status = readStatus(socket)
  while (other.open.size === 0) await new Promise(setImmediate)
  assert.equal(await settled(status), false)
  first?.destroy()
  assert.equal(await status, 200)
  socket.destroy()
})

test('invocation limit: 0 is no limit', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith(0)
  await openMany(site, 9)
  assert.equal(site.services.invocations.size, 0)
})

test('invocation limit: calls that name no invocation are not counted', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith(1)
  await openMany(site, 3, 'short')
  const socket = await site.knock('unix')
  socket.write(`CONNECT ${ADDRESS} HTTP/1.1\r\n\r\n`)
  assert.equal(await readStatus(socket), 200)
})

test('invocation limit: a connection that fails gives its place back', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith(1)
  site.network.routes.set('bad.internal:1', 'connection_refused')
  for (let call = 0; call < 3; call += 1) {
    assert.equal((await site.connect('bad.internal:1', `${INVOCATION}${call}`)).status, 502)
  }
  assert.equal(site.services.invocations.size, 0)
})

test('invocation limit: an edge that closes lets those go that wait', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith(1)
  await openMany(site, 1)
  const second = await ask(site, `${INVOCATION}a`)
  await site.binding.close(0)
  assert.equal(await second.status, 502)
  assert.equal(site.services.invocations.size, 0)
})

test('invocation limit: a call that waits can be ended by its id', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith(1)
  await openMany(site, 1)
  const second = await ask(site, `${INVOCATION}a`)
  assert.equal((await site.fetch('POST', `http://flows.hawser/${INVOCATION}a/abort`)).status, 204)
  assert.equal(await second.status, 502)
})
