/** The diagnosis against an edge that is one, and against connectors and targets of it. */
import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { formatHostPort } from '@hawser/core'
import { startEdge } from '@hawser/edge'
import type { Edge } from '@hawser/edge'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { serveMetrics } from '../metrics/serve-metrics.ts'
import { testLine } from '../test-line.ts'
import { echoService } from '../test-through.ts'
import { checkTcp } from './check-addresses.ts'
import type { Finding } from './finding.ts'
import { closedAddress, plainEdge } from './test-edge.ts'

const limits = { timeout: 120_000 }
const LOOPBACK = { host: '127.0.0.1', port: 0 }

interface Lab extends AsyncDisposable {
  readonly edge: Edge
  readonly log: CapturedLog
  readonly tunnelId: string
  readonly tokenFile: string
}

async function lab(t: TestContext): Promise<Lab> {
  assertNoLeaks(t)
  const folder = await mkdtemp(join(tmpdir(), 'hawser-diag-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const log = new CapturedLog()
  const edge = await startEdge({ dataDir: join(folder, 'edge'), tunnel: LOOPBACK, logger: log })
  const { id: tunnelId } = await edge.directory.tunnels.create({ name: 'lab' })
  const tokenFile = join(folder, 'lab.token')
  await writeFile(tokenFile, (await edge.tunnelToken(tunnelId)).reveal(), { mode: 0o600 })
  return { edge, log, tunnelId, tokenFile, [Symbol.asyncDispose]: () => edge.close(0) }
}

test('where all is well every step says so, with exit code 0, and the edge is left as it was', limits, async (t) => {
  await using on = await lab(t)
  await on.edge.directory.tunnelConfigurations.put(on.tunnelId, { deny: ['10.9.0.0/16'] }) // which it is told of, as any connector is
  const { code, stdout, stderr } = await testLine(['connector', 'diag', '--token-file', on.tokenFile])
  assert.equal(code, 0, stdout + stderr)
  const steps = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ +/, 2))
  assert.deepEqual(
    steps,
    ['token', 'dns', 'tcp', 'tls', 'clock', 'register'].map((step) => ['ok', step]),
  )
  assert.match(stdout, new RegExp(`edge ${on.edge.id} accepts the token, \\d+ ms`))
  const [came] = on.log.lines.filter(({ message }) => message === 'connector connected')
  assert.ok(came !== undefined)
  while (on.edge.connections(on.tunnelId).length > 0) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(on.log.at('warn'), [])
})

test('the token of a tunnel that is gone is not accepted', limits, async (t) => {
  await using on = await lab(t)
  await on.edge.directory.tunnels.delete(on.tunnelId)
  const { code, stdout, stderr } = await testLine(['connector', 'diag', '--token-file', on.tokenFile])
  assert.equal(code, 1)
  assert.match(stdout, /^FAILED {3}register .*does not accept the token: .*\n +→ .*hawser tunnel token <tunnel>$/m)
  assert.match(stderr, /^hawser: 1 of 6 steps failed \(tunnel_auth_failed\)\n$/, 'what to do stands with the step')
})

test('a token file that everybody may read is worth a warning, not a failure', limits, async (t) => {
  await using on = await lab(t)
  await chmod(on.tokenFile, 0o644)
  const { code, stdout } = await testLine(['connector', 'diag', '--token-file', on.tokenFile])
  assert.equal(code, 0)
  assert.match(stdout, /^warning {2}token .*every user of this machine may read the file.*\n +→ chmod 600 /m)
})

test('targets are tried from here, by the rules of the connector', limits, async (t) => {
  await using on = await lab(t)
  const { server, port } = await echoService()
  await using _server = server
  const open = `127.0.0.1:${port}`
  const closed = await closedAddress()
  const line = ['connector', 'diag', '--token-file', on.tokenFile, '--json', '--deny', '127.0.0.2']
  const targets = [open, closed, '127.0.0.2:80', 'no..name:80'].flatMap((target) => ['--target', target])
  const { code, stdout } = await testLine([...line, ...targets])
  assert.equal(code, 1)
  const { findings } = JSON.parse(stdout) as { findings: Finding[] }
  const tried = findings.filter(({ step }) => step === 'target')
  assert.deepEqual(
    tried.map(({ subject, state, code: why }) => [subject, state, why]),
    [
      [open, 'ok', undefined],
      [closed, 'failed', 'connection_refused'],
      ['127.0.0.2:80', 'failed', 'destination_ip_prohibited'],
      ['no..name:80', 'failed', 'address_invalid'],
    ],
  )
  assert.match(tried[1]?.todo ?? '', /Start the service/)
})

test('a connector that is running tells whether it is connected', limits, async (t) => {
  await using on = await lab(t)
  const body = { readyConnections: 2, connectorId: 'c0ffee' }
  let ready = true
  await using metrics = await serveMetrics(LOOPBACK, { metrics: () => [], readiness: () => ({ ready, body }) })
  const line = ['connector', 'diag', '--token-file', on.tokenFile, '--metrics', formatHostPort(metrics.address)]
  const up = await testLine(line)
  assert.equal(up.code, 0)
  assert.match(up.stdout, /^ok {7}ready .*connector c0ffee has 2 connections to edges$/m)
  ready = false
  const down = await testLine(line)
  assert.equal(down.code, 1)
  assert.match(down.stdout, /^FAILED {3}ready .*it carries nothing new\n +→ The steps above/m)
})

test('a metrics port that is closed, hangs, or is something else', limits, async (t) => {
  await using on = await lab(t)
  await using other = await plainEdge(
    (socket) => void socket.resume().end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi'),
  )
  await using long = await plainEdge((socket) => void socket.resume().end(`HTTP/1.1 200 OK\r\n\r\n${' '.repeat(9000)}`))
  await using hung = await plainEdge(() => {})
  for (const [address, says] of [
    [await closedAddress(), /nothing answers there\n +→ Start the connector with --metrics/],
    [other.address, /is no connector of Hawser\n/],
    [long.address, /is no connector of Hawser\n/],
    [hung.address, /no answer in 700 ms\n/],
  ] as const) {
    const line = ['connector', 'diag', '--token-file', on.tokenFile, '--timeout', '700ms', '--metrics', address]
    const { code, stdout } = await testLine(line)
    assert.equal(code, 1)
    assert.match(stdout, says)
  }
})

test('what is no use of the command is exit code 2', limits, async () => {
  for (const line of [
    [],
    ['--token-file', 'gone'],
    ['--token', 'x', '--target', 'nowhere'],
    ['--token', 'x', '--allow', 'x'],
  ]) {
    const { code, stdout } = await testLine(['connector', 'diag', ...line])
    assert.equal(code, 2)
    assert.equal(stdout, '')
  }
})

test('each address of an edge is told apart, and one that answers is enough', limits, async (t) => {
  assertNoLeaks(t)
  await using edge = await plainEdge(() => {})
  const port = Number(edge.address.split(':')[1])
  const { signal } = new AbortController()
  const { finding, found } = await checkTcp({ host: 'edges', port }, ['127.0.0.9', '127.0.0.1'], {
    signal,
    timeoutMs: 9000,
  })
  assert.match(finding.said, /^127\.0\.0\.9 refuses connections; 127\.0\.0\.1 answers in [\d.]+ ms$/)
  assert.deepEqual([finding.state, found?.ip], ['ok', '127.0.0.1'])
})
