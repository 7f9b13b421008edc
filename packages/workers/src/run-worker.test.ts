import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { HawserError } from '@hawser/core'
import type { BindingHost } from '@hawser/core'
import { assertNoLeaks, CapturedLog, createAuthority } from '@hawser/testkit'
import { FakeEdge } from './fake-edge.ts'
import { runWorker } from './run-worker.ts'
import { wranglerConfig, writeProject } from './test-project.ts'
import { answering, startSite, TUNNEL_ID } from './test-site.ts'

const LIMIT = { timeout: 30_000 }
const HELLO = `export default { fetch: (request) => new Response('hello ' + request.url) }`

/** Gives the test a temporary folder that nobody else writes to; what is in it later has been left there. */
async function ownTemporaryFolder(t: TestContext): Promise<string> {
  const folder = await writeProject(t, { 'tmp/.keep': '' })
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = join(folder, 'tmp')
  t.after(() => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  })
  return join(folder, 'tmp')
}

/** Ids of the workerd processes this process has started. */
async function workerdProcesses(): Promise<number[]> {
  const children = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')
  const ids = children.split(' ').filter((id) => id !== '')
  const commands = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')))
  return ids.filter((_, index) => commands[index]?.includes('workerd')).map(Number)
}

/** One that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.2', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('a Worker answers as soon as it is started, on the address it reports', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using site = await startSite(t, { source: HELLO })
  assert.match(site.worker.url, /^http:\/\/127\.0\.0\.1:\d+$/)
  assert.equal(site.worker.name, 'test-worker')
  const direct = await fetch(`${site.worker.url}/direct?q=1`)
  assert.equal(await direct.text(), `hello ${site.worker.url}/direct?q=1`)
})

test(
  'on an address that is not the usual loopback, that address is reported, and fetch() goes there',
  LIMIT,
  async (t) => {
    assertNoLeaks(t)
    await using edge = await FakeEdge.start()
    const folder = await writeProject(t, { 'wrangler.jsonc': wranglerConfig(), 'index.ts': HELLO })
    const listen = { host: '127.0.0.2', port: await freePort() }
    await using worker = await runWorker({ configPath: folder, host: edge, logger: new CapturedLog(), listen })
    assert.equal(worker.url, `http://127.0.0.2:${listen.port}`)
    assert.equal(await (await fetch(`${worker.url}/a`)).text(), `hello ${worker.url}/a`)
    assert.equal(await (await worker.fetch('/a')).text(), `hello ${worker.url}/a`)
  },
)

test(
  "nothing of Miniflare's own entry can be reached: no orders by path or header, no cron, no page of its own",
  LIMIT,
  async (t) => {
    assertNoLeaks(t)
    const source = `export default {
    async fetch(request) {
      if (request.url.endsWith('/throw')) throw new Error('a secret of the project')
      return new Response(new URL(request.url).pathname + ' ' + new URL(request.url).host)
    },
    async scheduled() { throw new Error('was run') },
  }`
    await using site = await startSite(t, { source })
    const { url } = site.worker
    const host = new URL(url).host
    const orders = { 'MF-Original-URL': 'http://bank.example/forged', 'MF-Route-Override': 'nobody' }
    assert.equal(await (await fetch(`${url}/a`, { headers: orders })).text(), `/a ${host}`)
    for (const path of [
      '/cdn-cgi/handler/scheduled',
      '/cdn-cgi/handler/email',
      '/cdn-cgi/local/r2/public/b/k',
      '/__scheduled',
    ]) {
      assert.equal(
        await (await fetch(`${url}${path}`)).text(),
        `${path} ${host}`,
        'it is for the Worker like any other',
      )
    }
    const thrown = await fetch(`${url}/throw`)
    assert.equal(thrown.status, 500)
    assert.doesNotMatch(await thrown.text(), /secret|\/|Error:/)
  },
)

test('fetch() takes a path, and for another host says so in the Host header', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using site = await startSite(t, { source: HELLO })
  assert.equal(await (await site.worker.fetch('/a')).text(), `hello ${site.worker.url}/a`)
  const other = await site.worker.fetch('http://shop.example/b?c', { method: 'POST', body: 'x' })
  assert.equal(await other.text(), 'hello http://shop.example/b?c')
})

test('the edge is asked for one binding for each network, and one for everything else', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using site = await startSite(t, { source: HELLO })
  const common = { worker: 'test-worker', tls: [], connectionLimit: undefined }
  assert.deepEqual(site.edge.identities, [
    { ...common, binding: 'PRIVATE', network: { kind: 'tunnel', tunnelId: TUNNEL_ID } },
    { ...common, binding: 'egress', network: { kind: 'public' }, connectNetwork: undefined },
  ])
})

test('the egress key of hawser.jsonc leads connect() alone into the network', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using site = await startSite(t, { source: HELLO, files: { 'hawser.jsonc': { egress: 'PRIVATE' } } })
  const egress = site.edge.identities.find(({ binding }) => binding === 'egress')
  assert.deepEqual(egress?.network, { kind: 'public' })
  assert.deepEqual(egress.connectNetwork, { kind: 'tunnel', tunnelId: TUNNEL_ID })
})

test('rules for TLS and the limit of connections are told to the edge for every binding', LIMIT, async (t) => {
  assertNoLeaks(t)
  const { caPem } = await createAuthority()
  const hawser = { tls: [{ match: '*.internal:5432', ca: 'certs/ca.pem' }], limits: { connections: 2 } }
  const files = { 'hawser.jsonc': hawser, 'certs/ca.pem': caPem }
  await using site = await startSite(t, { source: HELLO, files })
  for (const { tls, connectionLimit } of site.edge.identities) {
    assert.deepEqual([tls?.[0]?.host, tls?.[0]?.port, tls?.[0]?.caPem], ['*.internal', 5432, caPem])
    assert.equal(connectionLimit, 2)
  }
  assert.equal(site.edge.identities.length, 2)
  for (const name of ['hawser.jsonc', 'certs/ca.pem'])
    assert.ok(site.worker.inputs.includes(join(site.folder, name)), name)
})

test('console lines and uncaught exceptions reach the log, the latter with source positions', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = [
    'interface Unused { readonly name: string }',
    'function fail(): never {',
    "  throw new Error('it broke')",
    '}',
    'export default {',
    '  async fetch(request: Request): Promise<Response> {',
    "    if (request.url.endsWith('/fail')) fail()",
    "    console.log('said', { a: 1 })",
    "    console.warn('careful')",
    "    console.error('bad')",
    "    console.debug('detail')",
    "    return new Response('ok')",
    '  },',
    '}',
  ].join('\n')
  await using site = await startSite(t, { source })
  await (await site.worker.fetch('/')).text()
  const failed = await site.worker.fetch('/fail')
  assert.equal(failed.status, 500)
  await failed.text()
  await site.worker.close()

  const worker = site.log.lines.filter(
    ({ fields }) => fields['worker'] === 'test-worker' && fields['source'] === undefined,
  )
  assert.deepEqual(
    worker.slice(0, 4).map(({ level, message }) => [level, message]),
    [
      ['info', 'said { a: 1 }'],
      ['warn', 'careful'],
      ['error', 'bad'],
      ['debug', 'detail'],
    ],
  )
  const uncaught = site.log.at('error').filter(({ message }) => message.includes('it broke'))
  assert.equal(uncaught.length, 1, 'one line for one exception')
  assert.ok(uncaught[0]?.message.includes(`${join(site.folder, 'index.ts')}:3:`), uncaught[0]?.message)
})

test('close() ends workerd and leaves neither processes, doors nor files', LIMIT, async (t) => {
  assertNoLeaks(t)
  const folder = await writeProject(t, { 'wrangler.jsonc': wranglerConfig(), 'index.ts': HELLO })
  const temporary = await ownTemporaryFolder(t)
  await using edge = await FakeEdge.start()
  const worker = await runWorker({ configPath: folder, host: edge, logger: new CapturedLog() })
  assert.equal(edge.openDoors, 1)
  assert.equal((await workerdProcesses()).length, 1)

  const both = [worker.close(), worker.close()]
  assert.equal(both[0], both[1], 'closing twice is closing once')
  await Promise.all(both)
  await worker.closed
  await worker[Symbol.asyncDispose]()
  assert.equal(edge.openDoors, 0)
  assert.deepEqual(await workerdProcesses(), [])
  await assert.rejects(worker.fetch('/'))
  await edge[Symbol.asyncDispose]()
  assert.deepEqual(await readdir(temporary), ['.keep'])
  assert.deepEqual((await readdir(folder)).toSorted(), ['index.ts', 'node_modules', 'wrangler.jsonc'])
})

test('when workerd ends by itself, closed rejects once everything is released', LIMIT, async (t) => {
  if (process.platform !== 'linux') return t.skip('finds workerd in /proc')
  assertNoLeaks(t)
  await using edge = await FakeEdge.start()
  const folder = await writeProject(t, { 'wrangler.jsonc': wranglerConfig(), 'index.ts': HELLO })
  const worker = await runWorker({ configPath: folder, host: edge, logger: new CapturedLog() })
  const [id] = await workerdProcesses()
  assert.ok(id !== undefined)
  process.kill(id, 'SIGKILL')
  await assert.rejects(worker.closed, (error) => HawserError.is(error, 'runtime_failed'))
  assert.equal(edge.openDoors, 0)
  assert.deepEqual(await workerdProcesses(), [])
  return worker.close()
})

test('a Worker that throws while it is loaded does not start, and the message says why', LIMIT, async (t) => {
  assertNoLeaks(t)
  const folder = await writeProject(t, {
    'wrangler.jsonc': wranglerConfig(),
    'index.ts': `const table: any = undefined\nconst size = table.size\nexport default { fetch: () => new Response(size) }`,
  })
  const temporary = await ownTemporaryFolder(t)
  await using edge = await FakeEdge.start()
  await assert.rejects(runWorker({ configPath: folder, host: edge, logger: new CapturedLog() }), (error) => {
    assert.ok(HawserError.is(error, 'runtime_failed'))
    assert.match(error.message, /test-worker: the Worker did not start/)
    assert.match(error.message, /Cannot read properties of undefined/)
    assert.ok(error.message.includes(`${join(folder, 'index.ts')}:2:`), error.message)
    return true
  })
  assert.equal(edge.openDoors, 0)
  await edge[Symbol.asyncDispose]()
  assert.deepEqual(await readdir(temporary), ['.keep'])
})

test('a port in use is said to be in use, and nothing stays open', LIMIT, async (t) => {
  assertNoLeaks(t)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await using edge = await FakeEdge.start()
  const folder = await writeProject(t, { 'wrangler.jsonc': wranglerConfig(), 'index.ts': HELLO })
  const listen = { host: '127.0.0.1', port }
  await assert.rejects(runWorker({ configPath: folder, host: edge, logger: new CapturedLog(), listen }), (error) => {
    assert.ok(HawserError.is(error, 'listen_failed'))
    assert.equal(error.message, `127.0.0.1:${port}: address already in use`)
    return true
  })
  assert.equal(edge.openDoors, 0)
  await new Promise((resolve) => server.close(resolve))
})

test('an edge that refuses one binding gets the others back closed', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using edge = await FakeEdge.start()
  const host: BindingHost = {
    openBinding: (identity) =>
      identity.binding === 'egress'
        ? Promise.reject(new HawserError('listen_failed', 'no more sockets'))
        : edge.openBinding(identity),
  }
  const config = wranglerConfig({ vpc_networks: [{ binding: 'A', tunnel_id: TUNNEL_ID }] })
  const folder = await writeProject(t, { 'wrangler.jsonc': config, 'index.ts': HELLO })
  await assert.rejects(runWorker({ configPath: folder, host, logger: new CapturedLog() }), { code: 'listen_failed' })
  assert.equal(edge.openDoors, 0)
})

test('what a Worker stores is kept between runs where persistTo says so, and only there', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = answering(`
    const before = await env.STORE.get('count')
    await env.STORE.put('count', String(Number(before ?? 0) + 1))
    return before`)
  const config = { kv_namespaces: [{ binding: 'STORE', id: 'abc' }] }
  const kept = await writeProject(t, {})
  for (const [persistTo, expected] of [
    [kept, null],
    [undefined, null],
    [kept, '1'],
  ] as const) {
    await using site = await startSite(t, { source, config, run: { persistTo } })
    assert.equal(await site.json(), expected)
  }
})

test('settings of the user are left alone: MINIFLARE_WORKERD_PATH is not overwritten', LIMIT, async (t) => {
  assertNoLeaks(t)
  const before = process.env['MINIFLARE_WORKERD_PATH']
  t.after(() => {
    if (before === undefined) delete process.env['MINIFLARE_WORKERD_PATH']
    else process.env['MINIFLARE_WORKERD_PATH'] = before
  })
  process.env['MINIFLARE_WORKERD_PATH'] = join(tmpdir(), 'no-such-workerd')
  await using edge = await FakeEdge.start()
  const folder = await writeProject(t, { 'wrangler.jsonc': wranglerConfig(), 'index.ts': HELLO })
  await assert.rejects(runWorker({ configPath: folder, host: edge, logger: new CapturedLog() }), {
    code: 'runtime_failed',
  })
})
