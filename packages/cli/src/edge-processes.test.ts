import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { parseTunnelToken } from '@hawser/tunnel'
import { hawserProcess } from './test-process.ts'
import type { TestProcess } from './test-process.ts'
import { testLine } from './test-line.ts'

const limits = { timeout: 120_000 }
const FREE = ['--tunnel', '127.0.0.1:0', '--api', '127.0.0.1:0']

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'hawser-edge-'))
  t.after(() => rm(made, { recursive: true, force: true }))
  return made
}

async function startEdge(dir: string, ...more: string[]): Promise<TestProcess> {
  const edge = hawserProcess(['edge', '--data-dir', dir, ...FREE, ...more])
  await edge.says(/^Next: /m)
  return edge
}

test('an edge says where it listens, keeps its secrets to itself, and ends cleanly on SIGTERM', limits, async (t) => {
  assertNoLeaks(t)
  const dir = join(await folder(t), 'made', 'on first start')
  await using edge = await startEdge(dir)
  assert.match(edge.stdout, /^tunnel {2}127\.0\.0\.1:\d+$/m)
  assert.match(edge.stdout, /^api {5}http:\/\/127\.0\.0\.1:\d+\/client\/v4$/m)
  assert.match(edge.stdout, /^Wrote an API token .* to .*admin-token$/m)
  const token = (await readFile(join(dir, 'admin-token'), 'utf8')).trim()
  assert.equal((await stat(join(dir, 'admin-token'))).mode & 0o777, 0o600)
  assert.ok(token.length > 20)
  const told = JSON.parse(await readFile(join(dir, 'edge.json'), 'utf8')) as Record<string, unknown>
  assert.deepEqual(Object.keys(told).toSorted(), ['accountId', 'api', 'pid', 'tunnel'])
  assert.deepEqual(await edge.stop(), { code: 0, signal: null })
  assert.equal(existsSync(join(dir, 'edge.json')), false)
  assert.equal(`${edge.stdout}${edge.stderr}`.includes(token), false, 'the token is never printed')
})

test('an edge without a Worker says so to whoever calls on its HTTP address', limits, async (t) => {
  assertNoLeaks(t)
  await using edge = await startEdge(await folder(t), '--http', '127.0.0.1:0')
  const url = /^http {4}(http:\S+)$/m.exec(edge.stdout)?.[1] ?? ''
  const answer = await fetch(url, { headers: { connection: 'close' } })
  assert.equal(answer.status, 503)
  assert.match(await answer.text(), /--worker/)
  assert.deepEqual(await edge.stop(), { code: 0, signal: null })
})

test('the next start keeps the token and the tunnels', limits, async (t) => {
  assertNoLeaks(t)
  const dir = await folder(t)
  await using first = await startEdge(dir)
  const created = await testLine(['tunnel', 'create', 'lab', '--data-dir', dir, '--json'])
  assert.equal(created.code, 0, created.stderr)
  const token = await readFile(join(dir, 'admin-token'), 'utf8')
  await first.stop('SIGINT')
  await using second = await startEdge(dir)
  assert.doesNotMatch(second.stdout, /Wrote an API token/)
  assert.equal(await readFile(join(dir, 'admin-token'), 'utf8'), token)
  const listed = await testLine(['tunnel', 'list', '--data-dir', dir])
  assert.match(listed.stdout, /^lab +[0-9a-f-]{36} +inactive +/m)
  assert.deepEqual(await second.stop('SIGINT'), { code: 0, signal: null })
})

test('the tunnel commands create, list, show, print the token and delete', limits, async (t) => {
  assertNoLeaks(t)
  const dir = await folder(t)
  await using edge = await startEdge(dir, '--advertise', 'edge.example:7844', '--advertise', '[::1]:1')
  const run = (...line: string[]): ReturnType<typeof testLine> =>
    testLine(['tunnel', ...line], { HAWSER_DATA_DIR: dir })

  const created = await run('create', 'lab')
  assert.match(
    created.stdout,
    /^Created tunnel lab with id [0-9a-f-]{36}\n.*hawser tunnel token lab --data-dir \/\S+\n$/,
  )
  assert.equal((await run('create', 'lab')).code, 1)
  assert.match((await run('create', 'lab')).stderr, /\(conflict\)/)

  const [listed] = JSON.parse((await run('list', '--json')).stdout) as { id: string; name: string }[]
  assert.equal(listed?.name, 'lab')
  assert.match((await run('info', 'lab')).stdout, /^name +lab\nid +[0-9a-f-]{36}\nstatus +inactive\n/)
  assert.match((await run('info', listed?.id ?? '')).stdout, /No connector is connected/)
  assert.partialDeepStrictEqual(JSON.parse((await run('info', 'lab', '--json')).stdout), {
    name: 'lab',
    connectors: [],
  })

  const token = (await run('token', 'lab')).stdout
  const { tunnelId, edges } = parseTunnelToken(token)
  assert.equal(tunnelId, listed?.id)
  assert.deepEqual(edges, ['edge.example:7844', '[::1]:1'])
  assert.equal((JSON.parse((await run('token', 'lab', '--json')).stdout) as { token: string }).token, token.trim())

  assert.match((await run('delete', 'lab')).stdout, /^Deleted tunnel lab /)
  const gone = await run('info', 'lab')
  assert.equal(gone.code, 1)
  assert.match(gone.stderr, /there is no tunnel "lab" \(not_found\)\n.*hawser tunnel list/)
  assert.equal((await run('list', '--json')).stdout, '[]\n')
  await edge.stop()
})

test('a wrong API token is told as such', limits, async (t) => {
  assertNoLeaks(t)
  const dir = await folder(t)
  await using edge = await startEdge(dir)
  const { api } = JSON.parse(await readFile(join(dir, 'edge.json'), 'utf8')) as { api: string }
  const { code, stderr } = await testLine(['tunnel', 'list', '--api', api, '--api-token', 'hunter2'])
  assert.equal(code, 1)
  assert.match(stderr, /\(unauthorized\)/)
  assert.doesNotMatch(stderr, /hunter2/)
  await edge.stop()
})

test('an address in use is named, and what was opened before is closed', limits, async (t) => {
  assertNoLeaks(t)
  const dir = await folder(t)
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  await using _taken = taken
  const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`
  for (const flag of ['--tunnel', '--api']) {
    await using edge = hawserProcess(['edge', '--data-dir', dir, ...FREE, flag, address])
    assert.deepEqual(await edge.ended, { code: 2, signal: null })
    assert.match(edge.stderr, /\(listen_failed\)\nStop what listens there/)
    assert.ok(edge.stderr.includes(address), edge.stderr)
    assert.equal(existsSync(join(dir, 'edge.json')), false)
  }
})

test('a data directory that is a file is storage_failed', limits, async (t) => {
  assertNoLeaks(t)
  const file = join(await folder(t), 'file')
  await writeFile(file, 'x')
  await using edge = hawserProcess(['edge', '--data-dir', file, ...FREE])
  assert.equal((await edge.ended).code, 1)
  assert.match(edge.stderr, /\(storage_failed\)/)
})

test('an edge that was killed leaves a file behind that the commands see through', limits, async (t) => {
  assertNoLeaks(t)
  const dir = await folder(t)
  await using edge = await startEdge(dir)
  await edge.stop('SIGKILL')
  const { code, stderr } = await testLine(['tunnel', 'list', '--data-dir', dir])
  assert.equal(code, 1)
  assert.match(stderr, /no answer from the API at .*ECONNREFUSED \(edge_unreachable\)/)
  await using again = await startEdge(dir)
  assert.equal((await testLine(['tunnel', 'list', '--data-dir', dir])).code, 0)
  await again.stop()
})
