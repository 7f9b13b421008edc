import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import test from 'node:test'
import { formatHostPort } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { gauge } from './exposition.ts'
import { serveMetrics } from './serve-metrics.ts'
import type { MetricsServer, MetricsSource } from './serve-metrics.ts'
import { parseExposition } from './test-exposition.ts'

const limits = { timeout: 30_000 }
const ANY = { host: '127.0.0.1', port: 0 }
const CLOSE = { connection: 'close' }

const source = (ready = true): MetricsSource => ({
  metrics: () => [gauge('hawser_test', 'A test', 7)],
  readiness: () => ({ ready, body: { readyConnections: ready ? 4 : 0 } }),
})
const urlOf = ({ address }: MetricsServer, path: string): string => `http://${formatHostPort(address)}${path}`

test('/metrics is what Prometheus reads: the metrics of the source and those of the process', limits, async (t) => {
  assertNoLeaks(t)
  await using server = await serveMetrics(ANY, source())
  const response = await fetch(urlOf(server, '/metrics?x=1'), { headers: CLOSE })
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  const metrics = new Map(parseExposition(await response.text()).map((metric) => [metric.name, metric]))
  assert.equal(metrics.get('hawser_test')?.samples[0]?.value, 7)
  assert.equal(metrics.get('build_info')?.samples[0]?.labels['nodeversion'], process.version)
  assert.ok((metrics.get('process_resident_memory_bytes')?.samples[0]?.value ?? 0) > 1e6)
  assert.ok(Math.abs((metrics.get('process_start_time_seconds')?.samples[0]?.value ?? 0) - Date.now() / 1000) < 3600)
  const busy = metrics.get('nodejs_eventloop_busy_seconds_total')?.samples[0]?.value ?? 0
  assert.ok(busy > 0 && busy <= process.uptime(), String(busy))
})

test('/ready is 200 or 503 and says why; /healthcheck is 200 either way', limits, async (t) => {
  assertNoLeaks(t)
  for (const [ready, status, count] of [
    [true, 200, 4],
    [false, 503, 0],
  ] as const) {
    await using server = await serveMetrics(ANY, source(ready))
    const response = await fetch(urlOf(server, '/ready'), { headers: CLOSE })
    assert.equal(response.status, status)
    assert.deepEqual(await response.json(), { status, readyConnections: count })
    const alive = await fetch(urlOf(server, '/healthcheck'), { headers: CLOSE })
    assert.deepEqual([alive.status, await alive.text()], [200, 'OK\n'])
  }
})

test('nothing else is there, and nothing can be sent', limits, async (t) => {
  assertNoLeaks(t)
  await using server = await serveMetrics(ANY, source())
  for (const [method, path, status] of [
    ['GET', '/', 404],
    ['GET', '/metrics/x', 404],
    ['GET', '//metrics', 404],
    ['POST', '/metrics', 405],
    ['DELETE', '/ready', 405],
  ] as const) {
    assert.equal((await fetch(urlOf(server, path), { method, headers: CLOSE })).status, status, `${method} ${path}`)
  }
  const head = await fetch(urlOf(server, '/ready'), { method: 'HEAD', headers: CLOSE })
  assert.deepEqual([head.status, await head.text()], [200, ''])
})

test('garbage is refused and harms nothing', limits, async (t) => {
  assertNoLeaks(t)
  await using server = await serveMetrics(ANY, source())
  const socket = connect({ ...server.address, allowHalfOpen: true })
  socket.write(Buffer.from([0, 1, 2, 255, 13, 10, 13, 10]))
  assert.match(await text(socket), /^HTTP\/1\.1 400 /)
  socket.destroy()
  assert.equal((await fetch(urlOf(server, '/ready'), { headers: CLOSE })).status, 200)
})

test('disposing ends connections that are kept open, and frees the port', limits, async (t) => {
  assertNoLeaks(t)
  const server = await serveMetrics(ANY, source())
  const socket = connect(server.address)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  await new Promise((resolve) => socket.once('connect', resolve))
  await server[Symbol.asyncDispose]()
  await closed
  await using _again = await serveMetrics(server.address, source())
})

test('an address that is taken is named', limits, async (t) => {
  assertNoLeaks(t)
  await using server = await serveMetrics(ANY, source())
  await assert.rejects(serveMetrics(server.address, source()), {
    code: 'listen_failed',
    message: new RegExp(`^--metrics: cannot listen on ${formatHostPort(server.address)}: `),
  })
})
