import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { HawserError } from '@hawser/core'
import type { BindingHost } from '@hawser/core'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import type { WorkerConfig } from '../config.ts'
import { FakeEdge } from '../fake-edge.ts'
import { wranglerConfig, writeProject } from '../test-project.ts'
import { startDevWorker } from './dev-worker.ts'
import type { DevWorker, DevWorkerEvent, DevWorkerOptions } from './dev-worker.ts'

const LIMIT = { timeout: 60_000 }
const ANY = { host: '127.0.0.1', port: 0 }

/** A Worker under development over a fake edge. */
class Desk implements AsyncDisposable {
  readonly folder: string
  readonly edge: FakeEdge
  readonly log = new CapturedLog()
  readonly configs: WorkerConfig[] = []
  #worker: DevWorker | undefined
  readonly #events: DevWorkerEvent[] = []
  #wake: (() => void) | undefined

  private constructor(folder: string, edge: FakeEdge) {
    this.folder = folder
    this.edge = edge
  }

  static async open(t: TestContext, files: Readonly<Record<string, unknown>>): Promise<Desk> {
    const folder = await writeProject(t, { 'wrangler.json': wranglerConfig(), ...files })
    return new Desk(folder, await FakeEdge.start())
  }

  async start(options: Partial<DevWorkerOptions> = {}, signal = new AbortController().signal): Promise<DevWorker> {
    this.#worker = await startDevWorker(
      {
        configPath: this.folder,
        logger: this.log,
        host: this.edge,
        place: () => ({ listen: ANY }),
        onConfig: (config) => this.configs.push(config),
        onListen: () => {},
        onEvent: (event) => {
          this.#events.push(event)
          this.#wake?.()
        },
        ...options,
      },
      signal,
    )
    return this.#worker
  }

  /** The next event that is no request. */
  async next<Kind extends DevWorkerEvent['event']>(kind: Kind): Promise<Extract<DevWorkerEvent, { event: Kind }>> {
    for (;;) {
      const event = this.#events.shift()
      if (event?.event === kind) return event as Extract<DevWorkerEvent, { event: Kind }>
      if (event !== undefined) assert.equal(event.event, 'request', JSON.stringify(event))
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  write(name: string, content: unknown): Promise<void> {
    return writeFile(join(this.folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.close()
    await this.edge[Symbol.asyncDispose]()
  }
}

async function ask(url: string, path = '/'): Promise<string> {
  const response = await fetch(`${url}${path}`, { headers: { connection: 'close' } })
  return response.text()
}

function says(expression: string): string {
  return `export default { fetch: (request, env) => new Response(String(${expression})) }`
}

test('a change to the configuration takes effect, its bindings included', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using desk = await Desk.open(t, { 'index.ts': says(`[env.A, typeof env.NET, env.SECRET]`) })
  await desk.start()
  const { url } = await desk.next('ready')
  assert.equal(await ask(url), ',undefined,')
  const network = { vpc_networks: [{ binding: 'NET', tunnel_id: 't-1' }] }
  await desk.write('wrangler.json', wranglerConfig({ vars: { A: '1' }, ...network }))
  const reload = await desk.next('reload')
  assert.equal(reload.url, url)
  assert.equal(await ask(url), '1,object,')
  await desk.write('.dev.vars', 'SECRET=s')
  await desk.next('reload')
  assert.equal(await ask(url), '1,object,s')
  assert.deepEqual(
    desk.configs.map((config) => config.networks.length),
    [0, 1, 1],
  )
})

test('a configuration that is wrong leaves the one before in service', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using desk = await Desk.open(t, {
    'index.ts': says('env.A'),
    'wrangler.json': wranglerConfig({ vars: { A: 1 } }),
  })
  await desk.start()
  const { url } = await desk.next('ready')
  await desk.write('hawser.jsonc', '{ "egres": "NET" }')
  const { error, serving } = await desk.next('failed')
  assert.equal(error.code, 'config_invalid')
  assert.match(error.message, /unknown key "egres"/)
  assert.equal(serving, true)
  assert.equal(await ask(url), '1')
  await desk.write('hawser.jsonc', '{}')
  await desk.next('reload')
})

test('a version that does not start gives way to the one before', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using desk = await Desk.open(t, { 'index.ts': says(`'first'`) })
  await desk.start()
  const { url } = await desk.next('ready')
  await desk.write('index.ts', `throw new Error('in the module'); ${says('2')}`)
  const { error } = await desk.next('failed')
  assert.equal(error.code, 'runtime_failed')
  assert.match(error.message, /in the module/)
  assert.match(error.message, /index\.ts:1:7/)
  assert.equal(await ask(url), 'first')
  await desk.write('index.ts', says(`'third'`))
  await desk.next('reload')
  assert.equal(await ask(url), 'third')
})

test('a module that was missing is noticed when it comes', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using desk = await Desk.open(t, { 'index.ts': `import { a } from './lib'\n${says('a')}` })
  await desk.start()
  const { error, serving } = await desk.next('failed')
  assert.match(error.message, /Could not resolve ".\/lib"/)
  assert.equal(serving, false)
  await desk.write('lib.ts', 'export const a: number = 7')
  const { url } = await desk.next('ready')
  assert.equal(await ask(url), '7')
})

test('modules beside the bundle and static assets are watched', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using desk = await Desk.open(t, {
    'wrangler.json': wranglerConfig({ assets: { directory: 'public', binding: 'ASSETS' } }),
    'index.ts': `import text from './note.txt'\n${says('text')}`,
    'note.txt': 'old',
    'public/a.txt': 'asset',
  })
  await desk.start()
  const { url } = await desk.next('ready')
  assert.equal(await ask(url, '/a.txt'), 'asset')
  await desk.write('note.txt', 'new')
  await desk.next('reload')
  assert.equal(await ask(url), 'new')
  await desk.write('public/b.txt', 'another')
  await desk.next('reload')
  assert.equal(await ask(url, '/b.txt'), 'another')
})

test('requests during a reload wait for the new version', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using desk = await Desk.open(t, { 'index.ts': says('1') })
  await desk.start()
  const { url } = await desk.next('ready')
  await desk.write('index.ts', says('2'))
  const answers: string[] = []
  const reloaded = desk.next('reload')
  const state = { done: false }
  void reloaded.then(() => (state.done = true))
  while (!state.done) answers.push(await ask(url).catch((error: Error) => error.message))
  // One that is under way when workerd ends is cut off, as in any restart; none is turned away.
  assert.ok(
    answers.every((answer) => ['1', '2', 'fetch failed', 'terminated'].includes(answer)),
    answers.join(' '),
  )
  assert.ok(answers.filter((answer) => answer.length > 1).length <= 1, answers.join(' '))
  assert.equal(await ask(url), '2')
})

test('a taken port is replaced where any will do, and an error where it was asked for', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using desk = await Desk.open(t, { 'index.ts': says('1') })
  await desk.start()
  const { url } = await desk.next('ready')
  const listen = { host: '127.0.0.1', port: Number(new URL(url).port) }
  await using other = await Desk.open(t, { 'index.ts': says('2') })
  await other.start({ place: () => ({ listen, anyPort: true }) })
  assert.notEqual((await other.next('ready')).url, url)
  await using third = await Desk.open(t, { 'index.ts': says('3') })
  await assert.rejects(third.start({ place: () => ({ listen }) }), (error) => HawserError.is(error, 'listen_failed'))
  await using fourth = await Desk.open(t, { 'index.ts': says('4') })
  await assert.rejects(
    fourth.start({ inspectorPort: listen.port }),
    /^HawserError: inspector: 127\.0\.0\.1:\d+: address already in use$/,
  )
})

test('a start that is called off leaves nothing', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using desk = await Desk.open(t, { 'index.ts': says('1') })
  const stop = new AbortController()
  const started = desk.start({ onListen: () => stop.abort() }, stop.signal)
  await started.then(
    (worker) => worker.close(),
    () => {},
  )
  await using before = await Desk.open(t, { 'index.ts': says('1') })
  await assert.rejects(before.start({}, AbortSignal.abort()))
})

test('a start that is called off while its address is being opened opens none', LIMIT, async (t) => {
  assertNoLeaks(t)
  for (const when of ['onConfig', 'place'] as const) {
    await using desk = await Desk.open(t, { 'index.ts': says('1') })
    const stop = new AbortController()
    const place = (): { listen: typeof ANY } => {
      if (when === 'place') stop.abort()
      return { listen: ANY }
    }
    const onConfig = (): void => (when === 'onConfig' ? stop.abort() : undefined)
    await assert.rejects(desk.start({ place, onConfig }, stop.signal), { code: 'connection_aborted' })
  }
})

test('what is stored stays in the folder that was named', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using desk = await Desk.open(t, {
    'wrangler.json': wranglerConfig({ kv_namespaces: [{ binding: 'KV', id: 'a' }] }),
    'index.ts': `export default { async fetch(request, env) { await env.KV.put('a', '1'); return new Response('ok') } }`,
  })
  const persistTo = join(desk.folder, 'state')
  await desk.start({ place: () => ({ listen: ANY, persistTo }) })
  const { url } = await desk.next('ready')
  assert.equal(await ask(url), 'ok')
  assert.ok((await readdir(persistTo)).includes('kv'))
})

test('what changes while the Worker starts is not missed', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using desk = await Desk.open(t, { 'index.ts': says('1') })
  const openBinding: BindingHost['openBinding'] = async (identity) => {
    await desk.write('index.ts', says('2')) // it has been bundled by now, and nothing is watched yet
    return desk.edge.openBinding(identity)
  }
  await desk.start({ host: { openBinding } })
  const { url } = await desk.next('ready')
  await desk.next('reload')
  assert.equal(await ask(url), '2')
})

test('WebSockets go through', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = `export default { fetch() {
    const [client, server] = Object.values(new WebSocketPair())
    server.accept()
    server.addEventListener('message', ({ data }) => server.send('echo ' + data))
    server.addEventListener('close', () => server.close())
    return new Response(null, { status: 101, webSocket: client })
  } }`
  await using desk = await Desk.open(t, { 'index.ts': source })
  await desk.start()
  const { url } = await desk.next('ready')
  const socket = new WebSocket(url.replace('http', 'ws'))
  await once(socket, 'open')
  const answered = once(socket, 'message') as Promise<[MessageEvent]>
  socket.send('hi')
  const [message] = await answered
  assert.equal(message.data, 'echo hi')
  const closed = once(socket, 'close')
  socket.close()
  await closed
})
