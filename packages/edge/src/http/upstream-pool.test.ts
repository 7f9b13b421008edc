import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { Dialer } from '@hawser/core'
import { memoryPair } from '@hawser/testkit'
import { UpstreamPool } from './upstream-pool.ts'
import { Upstream } from './upstream.ts'
import type { ResponseSink } from './upstream.ts'

const nothing = (): void => {}
const SINK: ResponseSink = {
  method: 'GET',
  onInterim: nothing,
  onResponse: nothing,
  onResponsePayload: nothing,
  onResponseEnd: nothing,
  onBatchEnd: nothing,
  onUpgrade: nothing,
  onUpstreamFailure: nothing,
  onUpstreamDrain: nothing,
}

/** A connection that has carried one request and may carry another. */
async function usedUpstream(origin = 'http://a:80', fields = '', way?: Dialer): Promise<Upstream> {
  const [near, far] = memoryPair()
  far.on('error', nothing).resume()
  const upstream = new Upstream(near, { origin, route: { via: 'direct' }, tls: undefined, way })
  await new Promise<void>((resolve) => {
    upstream.begin({ ...SINK, onBatchEnd: resolve })
    far.write(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 0\r\n\r\n`)
  })
  upstream.release()
  return upstream
}

/** Ends what a test leaves in a pool, at once. */
function clearAfter(t: TestContext, pool: UpstreamPool): void {
  t.after(() => pool.close())
}

test('pool: gives back the connection used last, by origin', async (t) => {
  const pool = new UpstreamPool()
  clearAfter(t, pool)
  const [first, second, other] = [await usedUpstream(), await usedUpstream(), await usedUpstream('http://b:80')]
  for (const upstream of [first, second, other]) pool.give(upstream)
  assert.equal(pool.size, 3)
  assert.equal(pool.take('http://a:80'), second)
  assert.equal(pool.take('http://a:80'), first)
  assert.equal(pool.take('http://a:80'), undefined)
  assert.equal(pool.take('http://b:80'), other)
  assert.equal(pool.size, 0)
})

test('pool: a connection that dies while idle is forgotten', async (t) => {
  const pool = new UpstreamPool()
  clearAfter(t, pool)
  const upstream = await usedUpstream()
  pool.give(upstream)
  upstream.stream.destroy()
  await new Promise((resolve) => upstream.stream.once('close', resolve))
  assert.equal(pool.size, 0)
  assert.equal(pool.take('http://a:80'), undefined)
})

test('pool: one that may not be used again is closed, not kept', async (t) => {
  const pool = new UpstreamPool()
  clearAfter(t, pool)
  const upstream = await usedUpstream('http://a:80', 'Connection: close\r\n')
  pool.give(upstream)
  assert.equal(pool.size, 0)
  assert.equal(upstream.stream.writableEnded || upstream.stream.destroyed, true)
})

test('pool: a connection that has been idle too long is not given out', async (t) => {
  const pool = new UpstreamPool()
  clearAfter(t, pool)
  const upstream = await usedUpstream()
  upstream.idleLimitMs = 1
  pool.give(upstream)
  const from = performance.now()
  while (performance.now() - from < 3) await new Promise(setImmediate)
  assert.equal(pool.take('http://a:80'), undefined)
  assert.equal(pool.size, 0)
})

test('pool: idle connections are looked over by themselves', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const pool = new UpstreamPool()
  clearAfter(t, pool)
  const upstream = await usedUpstream()
  upstream.idleLimitMs = 1
  pool.give(upstream)
  const from = performance.now()
  while (performance.now() - from < 3) await new Promise(setImmediate)
  t.mock.timers.tick(1_000)
  assert.equal(pool.size, 0)
})

test('pool: beyond its size the one that has waited longest goes', async (t) => {
  const pool = new UpstreamPool()
  clearAfter(t, pool)
  const all = await Promise.all(Array.from({ length: 257 }, (_, at) => usedUpstream(`http://h${at}:80`)))
  for (const upstream of all) pool.give(upstream)
  assert.equal(pool.size, 256)
  assert.equal(pool.take('http://h0:80'), undefined)
  assert.equal(pool.take('http://h1:80'), all[1])
})

test('pool: closing it ends what is idle, and what is given back later', async () => {
  const pool = new UpstreamPool()
  const [idle, late] = [await usedUpstream(), await usedUpstream()]
  pool.give(idle)
  pool.close()
  pool.give(late)
  assert.equal(pool.size, 0)
  assert.deepEqual([idle.stream.writableEnded, late.stream.destroyed || late.stream.writableEnded], [true, true])
})

test('pool: connections over a way that is silent are not given out', async (t) => {
  const pool = new UpstreamPool()
  clearAfter(t, pool)
  const way = { silent: false, dial: () => Promise.reject(new Error('unused')) }
  const upstream = await usedUpstream('http://a:80', '', way)
  pool.give(upstream)
  way.silent = true
  assert.equal(pool.take('http://a:80'), undefined)
  assert.equal(pool.size, 0)
})

test('pool: connections over a way that is about to go are neither kept nor given out', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const pool = new UpstreamPool()
  clearAfter(t, pool)
  const way = { accepting: true, dial: () => Promise.reject(new Error('unused')) }
  const origin = 'http://a:80'
  const [kept, idle, late] = [
    await usedUpstream(origin, '', way),
    await usedUpstream(),
    await usedUpstream(origin, '', way),
  ]
  pool.give(idle)
  pool.give(kept)
  way.accepting = false
  assert.equal(pool.take(origin), idle)
  assert.equal(kept.stream.writableEnded, true)
  pool.give(late)
  assert.equal(pool.size, 0)
  way.accepting = true
  const again = await usedUpstream(origin, '', way)
  pool.give(again)
  way.accepting = false
  t.mock.timers.tick(1_000)
  assert.equal(again.stream.writableEnded, true, 'so that the connector need not wait for it')
  idle.close()
})
