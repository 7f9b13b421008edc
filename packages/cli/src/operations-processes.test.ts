/** What operators see of the two long-running processes: readiness, metrics, logs. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { formatHostPort } from '@hawser/core'
import type { HostPort } from '@hawser/core'
import { startEdge } from '@hawser/edge'
import type { Edge } from '@hawser/edge'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { parseExposition } from './metrics/test-exposition.ts'
import { hawserProcess } from './test-process.ts'
import type { TestProcess } from './test-process.ts'
import { connectThrough, echoService, roundTrip } from './test-through.ts'

const limits = { timeout: 120_000 }
const LOOPBACK = { host: '127.0.0.1', port: 0 }
const ANY = '127.0.0.1:0'

interface Lab extends AsyncDisposable {
  readonly folder: string
  readonly edge: Edge
  readonly tunnelId: string
  readonly tokenFile: string
  readonly token: string
}

/** A real edge with one tunnel. */
async function lab(t: TestContext): Promise<Lab> {
  assertNoLeaks(t)
  const folder = await mkdtemp(join(tmpdir(), 'hawser-operations-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const edge = await startEdge({ dataDir: join(folder, 'edge'), tunnel: LOOPBACK, logger: new CapturedLog() })
  const { id: tunnelId } = await edge.directory.tunnels.create({ name: 'lab' })
  const token = (await edge.tunnelToken(tunnelId)).reveal()
  const tokenFile = join(folder, 'lab.token')
  await writeFile(tokenFile, token, { mode: 0o600 })
  return { folder, edge, tunnelId, tokenFile, token, [Symbol.asyncDispose]: () => edge.close(0) }
}

type Line = Readonly<Record<string, unknown>>

/** Every line, or the test fails: there must be nothing else. */
function jsonLines(text: string): Line[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

/** `http://host:port` of the metrics of a process that logs JSON. */
async function metricsOf(process: TestProcess, message: string, field: string): Promise<string> {
  await process.says(new RegExp(`"message":"${message}"`))
  const line = jsonLines(process.stderr).find((each) => each['message'] === message)
  return `http://${formatHostPort(line?.[field] as HostPort)}`
}

async function get(url: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url, { headers: { connection: 'close' } })
  return { status: response.status, text: await response.text() }
}

/** Sum over all samples of a metric. */
async function read(base: string, name: string): Promise<number> {
  const metric = parseExposition((await get(`${base}/metrics`)).text).find((each) => each.name === name)
  return (metric?.samples ?? []).reduce((sum, { value }) => sum + value, 0)
}

/** Reads until it is `wanted`; the test's own time limit is the bound. */
async function until(base: string, name: string, wanted: number): Promise<void> {
  while ((await read(base, name)) !== wanted) await new Promise((resolve) => setTimeout(resolve, 20))
}

test('a connector shows readiness and counts what it carries, and is unready while it drains', limits, async (t) => {
  await using on = await lab(t)
  const { server, port } = await echoService()
  await using _server = server
  const network = { kind: 'tunnel', tunnelId: on.tunnelId } as const
  const doors = await on.edge.openBinding({ worker: 'w', binding: 'VPC', network })
  const line = ['connector', 'run', '--token-file', on.tokenFile, '--metrics', ANY, '--log-format', 'json']
  await using connector = hawserProcess([...line, '--connections', '2', '--grace-period', '1h'])
  const base = await metricsOf(connector, 'metrics', 'address')
  await until(base, 'cloudflared_tunnel_ha_connections', 2)
  const ready = await get(`${base}/ready`)
  assert.equal(ready.status, 200)
  const { connectorId, ...rest } = JSON.parse(ready.text) as { connectorId: string }
  assert.deepEqual(rest, { status: 200, readyConnections: 2 })
  assert.equal(on.edge.connections(on.tunnelId)[0]?.connector.id, connectorId)
  assert.deepEqual(on.edge.live(), { taking: true, tunnels: 1, connections: 2 })

  const first = await connectThrough(doors, '127.0.0.1', port)
  assert.equal(await roundTrip(first, 'four'), 'four')
  first.end()
  await until(base, 'hawser_connector_bytes_total', 8)
  await assert.rejects(connectThrough(doors, '127.0.0.1', 1))
  const second = await connectThrough(doors, '127.0.0.1', port)
  assert.equal(await roundTrip(second, 'held'), 'held')
  for (const [name, wanted] of [
    ['cloudflared_tunnel_total_requests', 3],
    ['cloudflared_tunnel_request_errors', 1],
    ['cloudflared_tcp_total_sessions', 2],
    ['cloudflared_tcp_active_sessions', 1],
    ['cloudflared_tunnel_tunnel_register_success', 2],
  ] as const) {
    assert.equal(await read(base, name), wanted, name)
  }

  connector.signal('SIGTERM')
  await connector.says(/"draining"/)
  const draining = await get(`${base}/ready`)
  assert.deepEqual(
    [draining.status, JSON.parse(draining.text)],
    [503, { status: 503, readyConnections: 0, connectorId }],
  )
  assert.equal((await get(`${base}/healthcheck`)).status, 200)
  second.end()
  assert.deepEqual(await connector.ended, { code: 0, signal: null })
  const { counters } = on.edge
  while (counters.open > 0) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([counters.ok, counters.failed], [2, 1])
  assert.equal(
    counters.dialSeconds.counts.reduce((sum, count) => sum + count, 0),
    2,
  )
  for (const each of jsonLines(connector.stderr)) assert.deepEqual(typeof each['time'], 'string')
  assert.equal(connector.stdout, '')
  assert.equal(connector.stderr.includes(on.token), false)
})

test('a connector without an edge is alive and not ready', limits, async (t) => {
  await using on = await lab(t)
  const line = ['connector', 'run', '--token-file', on.tokenFile, '--edge', '127.0.0.1:1', '--metrics', ANY]
  await using connector = hawserProcess([...line, '--log-format', 'json'])
  const base = await metricsOf(connector, 'metrics', 'address')
  assert.equal((await get(`${base}/ready`)).status, 503)
  assert.equal((await get(`${base}/healthcheck`)).status, 200)
  await connector.says(/edge_unreachable/)
  assert.ok((await read(base, 'cloudflared_tunnel_tunnel_register_fail')) > 0)
  await connector.stop()
})

test('a metrics address that is taken ends the connector with 2', limits, async (t) => {
  await using on = await lab(t)
  const line = ['connector', 'run', '--token-file', on.tokenFile, '--metrics', formatHostPort(on.edge.tunnelAddress)]
  await using connector = hawserProcess(line)
  assert.deepEqual(await connector.ended, { code: 2, signal: null })
  assert.match(connector.stderr, /--metrics: cannot listen on .*\(listen_failed\)\nStop what listens there/)
})

test('an edge that is told to stop takes no more calls from then on', limits, async (t) => {
  await using on = await lab(t)
  assert.equal(on.edge.live().taking, true)
  const closing = on.edge.close(0)
  assert.equal(on.edge.live().taking, false)
  await closing
})

test('with JSON asked for, the last words are a line of JSON as well', limits, async (t) => {
  await using on = await lab(t)
  await on.edge.directory.tunnels.delete(on.tunnelId)
  await using connector = hawserProcess(['connector', 'run', '--token-file', on.tokenFile], {
    HAWSER_LOG_FORMAT: 'json',
  })
  assert.deepEqual(await connector.ended, { code: 1, signal: null })
  const last = jsonLines(connector.stderr).at(-1)
  assert.partialDeepStrictEqual(last, { level: 'error', message: 'failed', code: 'tunnel_auth_failed' })
  assert.match(String(last?.['hint']), /hawser tunnel token/)
})

test('with JSON asked for, a warning of Node is a line of JSON as well', limits, async (t) => {
  await using on = await lab(t)
  const warn = "process.on('SIGUSR2', () => process.emitWarning('careful'))"
  const env = { HAWSER_LOG_FORMAT: 'json', NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(warn)}` }
  await using connector = hawserProcess(['connector', 'run', '--token-file', on.tokenFile], env)
  await connector.says(/connected to the edge/)
  connector.signal('SIGUSR2')
  await connector.says(/careful/)
  await connector.stop()
  assert.ok(jsonLines(connector.stderr).some(({ message, level }) => level === 'warn' && message === 'warning of Node'))
})

test('a log file takes the lines; after a rotation SIGHUP begins it anew', limits, async (t) => {
  await using on = await lab(t)
  const file = join(on.folder, 'connector.log')
  await using connector = hawserProcess(['connector', 'run', '--token-file', on.tokenFile, '--log-file', file])
  while (!(await readFile(file, 'utf8').catch(() => '')).includes('connected to the edge')) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await rename(file, `${file}.1`)
  connector.signal('SIGHUP')
  connector.signal('SIGTERM') // of two signals that wait, the kernel hands over the lower number first
  assert.deepEqual(await connector.ended, { code: 0, signal: null })
  assert.equal(connector.stderr, '')
  assert.ok(jsonLines(await readFile(`${file}.1`, 'utf8')).some((line) => line['message'] === 'connected to the edge'))
  assert.ok(jsonLines(await readFile(file, 'utf8')).some((line) => line['message'] === 'closed'))
})

test('why a process with a log file failed is in the file, and on stderr for people', limits, async (t) => {
  await using on = await lab(t)
  await on.edge.directory.tunnels.delete(on.tunnelId)
  const file = join(on.folder, 'connector.log')
  const line = ['connector', 'run', '--token-file', on.tokenFile, '--log-file', file]
  await using connector = hawserProcess(line)
  assert.equal((await connector.ended).code, 1)
  assert.match(connector.stderr, /^hawser: .+ \(tunnel_auth_failed\)\n/)
  assert.equal(jsonLines(await readFile(file, 'utf8')).at(-1)?.['code'], 'tunnel_auth_failed')
})

test('an edge shows the same, and with JSON asked for writes nothing else', limits, async (t) => {
  await using on = await lab(t)
  const flags = ['--tunnel', ANY, '--api', ANY, '--metrics', ANY, '--log-format', 'json', '--log-level', 'debug']
  await using edge = hawserProcess(['edge', '--data-dir', join(on.folder, 'other'), ...flags])
  const base = await metricsOf(edge, 'listening', 'metrics')
  const ready = await get(`${base}/ready`)
  assert.equal(ready.status, 200)
  assert.partialDeepStrictEqual(JSON.parse(ready.text), { status: 200, tunnels: 0, connections: 0 })
  const names = parseExposition((await get(`${base}/metrics`)).text).map(({ name }) => name)
  for (const name of ['hawser_edge_open_flows', 'hawser_edge_dial_seconds', 'process_cpu_seconds_total']) {
    assert.ok(names.includes(name), name)
  }
  assert.deepEqual(await edge.stop(), { code: 0, signal: null })
  assert.equal(edge.stdout, '')
  const lines = jsonLines(edge.stderr)
  assert.ok(lines.length > 1)
  const token = (await readFile(join(on.folder, 'other', 'admin-token'), 'utf8')).trim()
  assert.equal(edge.stderr.includes(token), false)
})
