import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { devProject, DevProcess } from './test-dev.ts'
import { LAUNCHER, TestProcess } from './test-process.ts'

const LIMIT = { timeout: 120_000 }
/** What is promised, on a machine that has the time; where others want the processor too, it takes its share longer. */
const stopLimitMs = (): number => 2_000 * Math.max(1, (loadavg()[0] ?? 1) / availableParallelism())

const WORKER = `
export class Counter {
  constructor(state) { this.storage = state.storage }
  async fetch() {
    const count = ((await this.storage.get('count')) ?? 0) + 1
    await this.storage.put('count', count)
    return new Response('count ' + count)
  }
}
export default {
  async fetch(request, env) {
    const url = new URL(request.url)
    if (url.pathname === '/count') return env.COUNTER.get(env.COUNTER.idFromName('a')).fetch(request)
    if (url.pathname === '/private') {
      try {
        return await env.PRIVATE.fetch(url.searchParams.get('url'))
      } catch (error) {
        return new Response(error.code, { status: 500 })
      }
    }
    if (url.pathname === '/slow') await new Promise(() => setInterval(() => {}, 1000))
    console.log('served', url.pathname)
    return new Response('version 1')
  },
  async scheduled(controller) { console.log('cron ' + controller.cron) },
}`

const CONFIG = {
  name: 'app',
  main: 'index.js',
  compatibility_date: '2026-01-01',
  vpc_networks: [{ binding: 'PRIVATE', tunnel_id: '7e1c' }],
  durable_objects: { bindings: [{ name: 'COUNTER', class_name: 'Counter' }] },
  migrations: [{ tag: 'v1', new_sqlite_classes: ['Counter'] }],
}

const TOML = `
name = "app"
main = "src/index.js"
compatibility_date = "2026-01-01"
[[vpc_networks]]
binding = "PRIVATE"
tunnel_id = "t-1"
[[env.staging.vpc_networks]]
binding = "PRIVATE"
network_id = "n-2"
`

function project(t: TestContext): Promise<string> {
  return devProject(t, { 'wrangler.json': CONFIG, 'index.js': WORKER })
}

/** Processes whose command line or environment names the folder: workerd gets its temporary folder from there. */
async function processesOf(folder: string): Promise<string[]> {
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
    if (environment.includes(folder)) found.push(pid)
  }
  return found
}

/**
 * Stops as Ctrl-C does, and checks that nothing is left of it.
 *
 * @param early whether it may not have come as far as to listen for signals, and have nothing to put away
 */
async function stopAndLook(dev: DevProcess, early = false): Promise<void> {
  const startedAt = performance.now()
  const ended = await dev.process.stop('SIGINT')
  const ms = performance.now() - startedAt
  if (!early || ended.signal !== 'SIGINT') assert.deepEqual(ended, { code: 0, signal: null }, dev.process.stderr)
  // What loads in one go cannot be interrupted, and takes its time where others want the processor too.
  assert.ok(ms < stopLimitMs() * (early ? 3 : 1), `it took ${Math.round(ms)} ms`)
  if (process.platform === 'linux') assert.deepEqual(await processesOf(dev.folder), [])
  const left = (await readdir(join(dev.folder, '.tmp'))).filter((name) => name !== 'node-compile-cache')
  assert.deepEqual(left, [])
}

test('serves a Worker, its requests, flows and console as events, and stops without a trace', LIMIT, async (t) => {
  assertNoLeaks(t)
  const service = createServer((request, response) => response.end(`${request.headers.host} ${request.url}`))
  service.listen(0, '127.0.0.1')
  await once(service, 'listening')
  await using _service = service
  const { port } = service.address() as AddressInfo
  await using dev = await DevProcess.start(await project(t))
  assert.match(await dev.url(), /^http:\/\/127\.0\.0\.1:\d+$/)
  assert.equal(await dev.text(), 'version 1')
  const request = await dev.saw('request')
  assert.deepEqual([request.method, request.path, request.status], ['GET', '/', 200])
  assert.equal((await dev.saw('log')).message, 'served /')

  const target = `http://stock.internal:${port}/rows`
  assert.equal(await dev.text(`/private?url=${encodeURIComponent(target)}`), `stock.internal:${port} /rows`)
  const flow = await dev.saw('flow')
  assert.equal(flow.binding, 'PRIVATE')
  assert.equal(flow.remoteAddress, `127.0.0.1:${port}`)
  assert.equal(flow.outcome, 'ok')
  const advice = await dev.saw('advice')
  assert.equal(advice.rule, 'stand-in')
  assert.match(advice.message, /PRIVATE \(tunnel 7e1c\) is served by this machine/)
  await dev.text(`/private?url=${encodeURIComponent(target)}`)
  await dev.saw('flow', 2)
  assert.equal(dev.all('advice').length, 1, 'it is said once')
  service.closeAllConnections()
  await stopAndLook(dev)
})

test('a change is served on the same port, with the same Durable Objects', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using dev = await DevProcess.start(await project(t))
  assert.equal(await dev.text('/count'), 'count 1')
  await dev.edit('index.js', 'version 1', 'version 2')
  const reload = await dev.saw('reload')
  assert.equal(reload.url, await dev.url())
  assert.deepEqual(reload.changed, [join(dev.folder, 'index.js')])
  assert.equal(await dev.text(), 'version 2')
  assert.equal(await dev.text('/count'), 'count 2')
  await stopAndLook(dev)
})

test('what does not build is shown with its place, and the old version stays', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using dev = await DevProcess.start(await project(t))
  await dev.url()
  await dev.edit('index.js', 'export default {', 'export default {{')
  const error = await dev.saw('error')
  assert.equal(error.code, 'bundle_failed')
  assert.match(error.message, /index\.js:10:16/)
  assert.equal(error.serving, true)
  assert.equal(await dev.text(), 'version 1')
  await dev.edit('index.js', 'export default {{', 'export default {')
  await dev.saw('reload')
  assert.equal(await dev.text(), 'version 1')
  await stopAndLook(dev)
})

test('a first build that fails is waited out, and requests meanwhile are told why', LIMIT, async (t) => {
  assertNoLeaks(t)
  const folder = await devProject(t, { 'wrangler.json': CONFIG, 'index.js': 'export default {{' })
  await using dev = await DevProcess.start(folder)
  const error = await dev.saw('error')
  assert.equal(error.serving, false)
  await writeFile(join(folder, 'index.js'), WORKER)
  assert.equal(await dev.text(), 'version 1')
  await stopAndLook(dev)
})

test('crons run by hand, as wrangler runs them', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using dev = await DevProcess.start(await project(t), ['--test-scheduled'])
  assert.equal(await dev.text(`/cdn-cgi/handler/scheduled?cron=${encodeURIComponent('* * * * *')}`), 'ok')
  assert.equal((await dev.saw('log')).message, 'cron * * * * *')
  assert.equal(await dev.text('/__scheduled?cron=x'), 'Ran scheduled event')
  assert.equal((await dev.saw('log', 2)).message, 'cron x')
  await stopAndLook(dev)
})

test('DevTools find the Worker, and its source map with the sources', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using dev = await DevProcess.start(await project(t), ['--inspect=0'])
  const { inspector = '' } = await dev.saw('ready')
  assert.match(inspector, /^ws:\/\/127\.0\.0\.1:\d+$/)
  const list = await fetch(`${inspector.replace('ws:', 'http:')}/json/list`, { headers: { connection: 'close' } })
  const targets = (await list.json()) as { webSocketDebuggerUrl: string }[]
  assert.match(targets[0]?.webSocketDebuggerUrl ?? '', /^ws:\/\//)
  await stopAndLook(dev)
})

test('Ctrl-C ends a request under way and an open socket at once', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using dev = await DevProcess.start(await project(t))
  const url = new URL(await dev.url())
  const socket = connect(Number(url.port), url.hostname)
  await once(socket, 'connect')
  const closed = once(socket, 'close')
  socket.on('error', () => {})
  const slow = fetch(new URL('/slow', url)).catch(() => 'cut')
  await dev.text() // so that the slow one has arrived
  await stopAndLook(dev)
  assert.equal(await slow, 'cut')
  await closed
})

test('Ctrl-C ends a start', LIMIT, async (t) => {
  assertNoLeaks(t)
  const folder = await project(t)
  const busy = `console.error('loading'); await new Promise((resolve) => setTimeout(resolve, 60_000)); export default {}`
  await writeFile(join(folder, 'build.mjs'), busy)
  const node = JSON.stringify(process.execPath)
  await writeFile(
    join(folder, 'wrangler.json'),
    JSON.stringify({ ...CONFIG, build: { command: `${node} build.mjs && true` } }),
  )
  await using dev = await DevProcess.start(folder)
  await dev.saw('log') // of the build command, which would take a minute
  await stopAndLook(dev)
})

test('Ctrl-C ends a start at any moment of it, for the whole group as on a terminal', LIMIT, async (t) => {
  assertNoLeaks(t)
  const folder = await project(t)
  for (const delay of [150, 300, 450, 600, 800, 1000]) {
    await using dev = await DevProcess.start(folder)
    await new Promise((resolve) => setTimeout(resolve, delay))
    const stopping = stopAndLook(dev, true)
    for (const pid of await processesOf(folder)) {
      try {
        process.kill(Number(pid), 'SIGINT')
      } catch {
        // It has ended by itself.
      }
    }
    await stopping
  }
})

test('Ctrl-C ends a reload', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using dev = await DevProcess.start(await project(t))
  await dev.url()
  await dev.edit('index.js', 'version 1', `version 2' + '${'x'.repeat(10_000)}`)
  await new Promise((resolve) => setTimeout(resolve, 40)) // what it waits for before it looks
  await stopAndLook(dev)
})

test('a configuration that is wrong ends it with exit code 2 and the place', LIMIT, async (t) => {
  assertNoLeaks(t)
  const folder = await devProject(t, { 'wrangler.json': '{ "main": 1 }' })
  await using dev = await DevProcess.start(folder)
  assert.deepEqual(await dev.process.ended, { code: 2, signal: null })
  assert.match(dev.process.stderr, /"main"/)
  await using relaxed = await DevProcess.start(folder, ['--relaxed=everything'])
  assert.deepEqual(await relaxed.process.ended, { code: 2, signal: null })
  assert.match(
    relaxed.process.stderr,
    /--relaxed: expected connections, blocked-addresses, blocked-ports, loops, got "everything"/,
  )
})

const CALLER = `
import { connect } from 'cloudflare:sockets'
export default {
  async fetch(request, env) {
    const params = new URL(request.url).searchParams
    const target = params.get('target')
    try {
      if (params.get('by') === 'service') return await env.SVC.fetch(target)
      if (params.get('by') === 'fetch') return await fetch(target)
      const sockets = []
      for (let count = Number(params.get('count') ?? 1); count > 0; count -= 1) {
        const socket = params.get('by') === 'tcp' ? env.SVC.connect(target) : connect(target)
        await Promise.race([socket.opened, new Promise((resolve) => setTimeout(resolve, 500))])
        sockets.push(socket)
      }
      for (const socket of sockets) socket.close().catch(() => {})
      return new Response('open')
    } catch (error) {
      return new Response(error.message, { status: 500 })
    }
  },
}`

test('VPC Services, production’s rules and what is said of a violation', LIMIT, async (t) => {
  assertNoLeaks(t)
  const service = createServer((request, response) => response.end(`${request.headers.host} ${request.url}`))
  service.listen(0, '127.0.0.1')
  await once(service, 'listening')
  await using _service = service
  const { port } = service.address() as AddressInfo
  const config = { ...CONFIG, durable_objects: undefined, migrations: undefined, vpc_networks: undefined }
  const folder = await devProject(t, {
    'wrangler.json': { ...config, vpc_services: [{ binding: 'SVC', service_id: 's-1' }] },
    'index.js': CALLER,
    'hawser.jsonc': { services: { SVC: { host: '127.0.0.1', httpPort: port, tcpPort: port } } },
  })
  const by = (way: string, target: string, more = ''): string =>
    `/?by=${way}&target=${encodeURIComponent(target)}${more}`
  {
    await using dev = await DevProcess.start(folder)
    // V-025 to V-027
    assert.equal(await dev.text(by('service', 'http://public.example:1/x')), 'public.example:1 /x')
    assert.equal(await dev.text(by('service', 'https://public.example/x')), 'ProxyError: destination_not_found')
    assert.equal(await dev.text(by('tcp', 'anything:1')), 'open')
    const refused = await dev.text(by('connect', `127.0.0.1:${port}`))
    assert.equal(refused, 'proxy request failed, cannot connect to the specified address')
    assert.match(await dev.text(by('fetch', `http://localhost:${port}/`)), /^error code: 1003/)
    await dev.saw('advice', 2)
    assert.equal(await dev.text(by('tcp', 'anything:1', '&count=7')), 'open')
    await dev.saw('advice', 3)
    const rules = dev.all('advice').map(({ rule }) => rule)
    assert.deepEqual(rules, ['blocked-destinations/loopback', 'blocked-names/localhost', 'connections'])
    await stopAndLook(dev)
  }
  {
    await using dev = await DevProcess.start(folder, ['--relaxed=blocked-addresses,connections'])
    assert.equal(await dev.text(by('connect', `127.0.0.1:${port}`, '&count=7')), 'open')
    assert.equal(await dev.text(by('fetch', `http://localhost:${port}/y`)), `localhost:${port} /y`)
    const rules = new Set(dev.all('advice').map(({ rule }) => rule))
    assert.deepEqual(rules, new Set(['relaxed/blocked-destinations/loopback']))
    await stopAndLook(dev)
  }
  service.closeAllConnections()
})

test('for people it prints lines, from anywhere in the project', LIMIT, async (t) => {
  assertNoLeaks(t)
  const folder = await devProject(t, { 'wrangler.toml': TOML, 'src/index.js': WORKER, '.tmp/keep': '' })
  const env = { TMPDIR: join(folder, '.tmp') }
  await using dev = new TestProcess(LAUNCHER, ['dev', '--port', '0', '--env', 'staging'], {
    cwd: join(folder, 'src'),
    env,
  })
  await dev.says(/^Ready on http:\/\/127\.0\.0\.1:\d+$/m)
  const [url = ''] = /http:\S+/.exec(dev.stdout) ?? []
  const response = await fetch(`${url}/private?url=http://nobody.internal:1/`, { headers: { connection: 'close' } })
  assert.equal(await response.text(), 'connection_refused')
  await dev.says(/^GET \/private 500 \d+ ms$/m)
  assert.match(
    dev.stdout,
    /^ {2}PRIVATE\.fetch http:\/\/nobody\.internal:1 connection_refused 0 B out, 0 B in, \d+ ms$/m,
  )
  assert.match(
    dev.stdout,
    /^ {2}! PRIVATE \(network n-2\) is served by this machine: nobody\.internal:1 is localhost:1\.$/m,
  )
  assert.match(dev.stdout, /^ {2}! Start it, or say where it is: /m)
  assert.deepEqual(await dev.stop('SIGINT'), { code: 0, signal: null })
})

test('several Workers run side by side: the first answers, the others by service bindings', LIMIT, async (t) => {
  assertNoLeaks(t)
  const service = createServer((request, response) => response.end(String(request.headers.host)))
  service.listen(0, '127.0.0.1')
  await once(service, 'listening')
  await using _service = service
  const { port } = service.address() as AddressInfo
  const common = { main: 'index.js', compatibility_date: '2026-01-01' }
  const folder = await devProject(t, {
    'front/wrangler.json': {
      ...common,
      name: 'front',
      services: [{ binding: 'STOCK', service: 'stock' }],
      durable_objects: { bindings: [{ name: 'COUNTER', class_name: 'Counter', script_name: 'stock' }] },
    },
    'front/index.js': `
      export default {
        async fetch(request, env) {
          if (new URL(request.url).pathname === '/count') return env.COUNTER.getByName('a').fetch(request)
          return env.STOCK.fetch(request)
        },
      }`,
    'stock/wrangler.json': {
      ...common,
      name: 'stock',
      durable_objects: { bindings: [{ name: 'COUNTER', class_name: 'Counter' }] },
      migrations: [{ tag: 'v1', new_sqlite_classes: ['Counter'] }],
      vpc_networks: [{ binding: 'OFFICE', tunnel_id: 't' }],
    },
    'stock/hawser.jsonc': { networks: { OFFICE: { hosts: { 'db.internal': `127.0.0.1:${port}` } } } },
    'stock/index.js': `
      export class Counter {
        constructor(state) { this.state = state }
        fetch() { return new Response('object of stock') }
      }
      export default {
        async fetch(request, env) {
          const { pathname } = new URL(request.url)
          if (pathname === '/throw') throw new Error('of stock')
          if (pathname === '/db') return env.OFFICE.fetch('http://db.internal/')
          return new Response('version 1')
        },
      }`,
  })
  await using dev = await DevProcess.start(folder, ['-c', 'front', '-c', 'stock/wrangler.json'])
  assert.equal(await dev.text(), 'version 1')
  assert.equal(await dev.text('/count'), 'object of stock')
  assert.equal(await dev.text('/db'), 'db.internal')
  const flow = await dev.saw('flow')
  assert.deepEqual([flow.worker, flow.binding, flow.remoteAddress], ['stock', 'OFFICE', `127.0.0.1:${port}`])
  await dev.text('/throw')
  const thrown = await dev.saw('log')
  assert.match(thrown.message, /of stock\n.*at Object\.fetch \(.*stock\/index\.js:9:/)
  await dev.edit('stock/index.js', 'version 1', 'version 2')
  await dev.saw('reload')
  assert.equal(await dev.text(), 'version 2')
  assert.equal(dev.all('log').length, 1, 'the error is told once')
  service.closeAllConnections()
  await stopAndLook(dev)
  await using twice = await DevProcess.start(folder, ['-c', 'front', '-c', 'front'])
  assert.deepEqual(await twice.process.ended, { code: 2, signal: null })
  assert.match(twice.process.stderr, /"name" must differ between Workers, got "front" in /)
})
