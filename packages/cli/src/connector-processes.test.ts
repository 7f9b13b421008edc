import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import type { BindingDoors } from '@hawser/core'
import { startEdge } from '@hawser/edge'
import type { Edge } from '@hawser/edge'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { hawserProcess } from './test-process.ts'
import { connectThrough, echoService, roundTrip } from './test-through.ts'

const limits = { timeout: 120_000 }
const CONNECTED = /connected to the edge/

interface Bench extends AsyncDisposable {
  readonly edge: Edge
  readonly doors: BindingDoors
  /** A file with the token of the tunnel behind `doors`. */
  readonly tokenFile: string
  readonly tunnelId: string
}

/** A real edge with one tunnel and a binding that leads through it. */
async function bench(t: TestContext): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-connector-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const tunnel = { host: '127.0.0.1', port: 0 }
  const edge = await startEdge({ dataDir: join(folder, 'edge'), tunnel, logger: new CapturedLog() })
  const { id: tunnelId } = await edge.directory.tunnels.create({ name: 'lab' })
  const tokenFile = join(folder, 'lab.token')
  await writeFile(tokenFile, `${(await edge.tunnelToken(tunnelId)).reveal()}\n`)
  const doors = await edge.openBinding({ worker: 'w', binding: 'VPC', network: { kind: 'tunnel', tunnelId } })
  return { edge, doors, tokenFile, tunnelId, [Symbol.asyncDispose]: () => edge.close(0) }
}

test('a connection goes through, and SIGTERM ends an idle connector at once with 0', limits, async (t) => {
  assertNoLeaks(t)
  await using on = await bench(t)
  const { server, port } = await echoService()
  await using _server = server
  await using connector = hawserProcess(['connector', 'run', '--token-file', on.tokenFile])
  await connector.says(CONNECTED)
  const socket = await connectThrough(on.doors, '127.0.0.1', port)
  assert.equal(await roundTrip(socket, 'ping'), 'ping')
  socket.destroy()
  assert.deepEqual(await connector.stop(), { code: 0, signal: null })
  assert.equal(connector.stdout, '')
})

test('the token may come by flag or by environment', limits, async (t) => {
  assertNoLeaks(t)
  await using on = await bench(t)
  const token = (await on.edge.tunnelToken(on.tunnelId)).reveal()
  for (const [line, env] of [
    [['--token', token], {}],
    [[], { HAWSER_TUNNEL_TOKEN: token }],
    [[], { HAWSER_TUNNEL_TOKEN_FILE: on.tokenFile }],
  ] as const) {
    await using connector = hawserProcess(['connector', 'run', ...line], { ...env })
    await connector.says(CONNECTED)
    assert.deepEqual(await connector.stop('SIGINT'), { code: 0, signal: null })
    assert.equal(connector.stderr.includes(token), false, 'the token is never logged')
  }
})

test('after SIGTERM a running flow may finish; the connector ends with it, with 0', limits, async (t) => {
  assertNoLeaks(t)
  await using on = await bench(t)
  const { server, port } = await echoService()
  await using _server = server
  await using connector = hawserProcess(['connector', 'run', '--token-file', on.tokenFile, '--grace-period', '1h'])
  await connector.says(CONNECTED)
  const socket = await connectThrough(on.doors, '127.0.0.1', port)
  assert.equal(await roundTrip(socket, 'before'), 'before')
  connector.signal('SIGTERM')
  await connector.says(/draining/)
  assert.equal(await roundTrip(socket, 'still there'), 'still there')
  await assert.rejects(connectThrough(on.doors, '127.0.0.1', port), /^Error: HTTP\/1\.1 5/)
  socket.end()
  assert.deepEqual(await connector.ended, { code: 0, signal: null })
})

test('a second signal ends running flows and the connector, with 1', limits, async (t) => {
  assertNoLeaks(t)
  await using on = await bench(t)
  const { server, port } = await echoService()
  await using _server = server
  await using connector = hawserProcess(['connector', 'run', '--token-file', on.tokenFile, '--grace-period', '1h'])
  await connector.says(CONNECTED)
  const socket = await connectThrough(on.doors, '127.0.0.1', port)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  const again = setInterval(() => connector.signal('SIGTERM'), 100) // those close together count as one
  t.after(() => clearInterval(again))
  assert.deepEqual(await connector.ended, { code: 1, signal: null })
  clearInterval(again)
  assert.match(connector.stderr, /stopped by a second signal \(connection_aborted\)/)
  await closed
})

test('a grace period that is over ends running flows, with 0', limits, async (t) => {
  assertNoLeaks(t)
  await using on = await bench(t)
  const { server, port } = await echoService()
  await using _server = server
  await using connector = hawserProcess(['connector', 'run', '--token-file', on.tokenFile, '--grace-period', '200ms'])
  await connector.says(CONNECTED)
  const socket = await connectThrough(on.doors, '127.0.0.1', port)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  assert.deepEqual(await connector.stop(), { code: 0, signal: null })
  await closed
})

test('a token of a deleted tunnel ends the connector with 1 and says what to do', limits, async (t) => {
  assertNoLeaks(t)
  await using on = await bench(t)
  await on.edge.directory.tunnels.delete(on.tunnelId)
  await using connector = hawserProcess(['connector', 'run', '--token-file', on.tokenFile])
  assert.deepEqual(await connector.ended, { code: 1, signal: null })
  assert.match(connector.stderr, /^hawser: .+ \(tunnel_auth_failed\)\n.*hawser tunnel token <tunnel>$/m)
})

test('a token of another edge is a certificate error, said once, and retried', limits, async (t) => {
  assertNoLeaks(t)
  await using on = await bench(t)
  await using other = await bench(t)
  const { host, port } = other.edge.tunnelAddress
  const line = ['connector', 'run', '--token-file', on.tokenFile, '--edge', `${host}:${port}`, '--log-level', 'debug']
  await using connector = hawserProcess(line)
  await connector.says(/edge_certificate_error/)
  assert.deepEqual(await connector.stop(), { code: 0, signal: null })
  assert.equal(connector.stderr.match(/"level":"error"/g)?.length, 1)
})

test('an edge that is down is waited for', limits, async (t) => {
  assertNoLeaks(t)
  await using on = await bench(t)
  const { host, port } = on.edge.tunnelAddress
  const line = ['connector', 'run', '--token-file', on.tokenFile, '--edge', '127.0.0.1:1', '--edge', `${host}:${port}`]
  await using connector = hawserProcess(line)
  await connector.says(/edge_unreachable/)
  await connector.says(CONNECTED)
  assert.deepEqual(await connector.stop(), { code: 0, signal: null })
})

test('what the connector may not dial is refused by it', limits, async (t) => {
  assertNoLeaks(t)
  await using on = await bench(t)
  const { server, port } = await echoService()
  await using _server = server
  const line = ['connector', 'run', '--token-file', on.tokenFile, '--allow', '127.0.0.0/8', '--deny', '127.0.0.2']
  await using connector = hawserProcess([...line, '--log-level', 'debug'])
  await connector.says(CONNECTED)
  const socket = await connectThrough(on.doors, '127.0.0.1', port)
  socket.destroy()
  for (const host of ['127.0.0.2', '2130706434', '10.0.0.1', '[::1]']) {
    await assert.rejects(connectThrough(on.doors, host, port), /^Error: HTTP\/1\.1 [45]/, host)
  }
  await connector.says(/is denied by 127\.0\.0\.2 on this connector/)
  await connector.stop()
})
