import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { HawserError } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { devProject } from '../test-dev.ts'
import type { Hawser } from './hawser.ts'
import { startHawser } from './start-hawser.ts'

const LIMIT = { timeout: 120_000 }

const WORKER = `
export default {
  async fetch(request, env) {
    const url = new URL(request.url)
    if (url.pathname === '/away') return Response.redirect('https://example.com/', 302)
    if (url.pathname === '/kv') {
      const before = await env.STORE.get('seen')
      await env.STORE.put('seen', 'yes')
      return new Response(before ?? 'never')
    }
    if (url.pathname === '/public') return fetch('http://127.0.0.1:1/')
    console.log('saw ' + url.pathname)
    const { STAGE } = env
    return Response.json({ url: request.url, method: request.method, body: await request.text(), STAGE })
  },
  async scheduled(controller) {
    console.warn(controller.cron + ' ' + controller.scheduledTime)
    if (controller.cron === '0 0 * * *') throw new Error('not at midnight')
  },
}`

interface Echo {
  readonly STAGE: string
}

const CONFIG = {
  name: 'app',
  main: 'index.js',
  compatibility_date: '2026-01-01',
  vars: { STAGE: 'dev' },
  kv_namespaces: [{ binding: 'STORE', id: '1' }],
  vpc_networks: [{ binding: 'OFFICE', tunnel_id: 't-1' }],
  vpc_services: [{ binding: 'ORDERS', service_id: 's-1' }],
  env: { staging: { vars: { STAGE: 'staging' } } },
}

function project(t: TestContext, files: Readonly<Record<string, unknown>> = {}): Promise<string> {
  return devProject(t, { 'wrangler.json': CONFIG, 'index.js': WORKER, ...files })
}

test('a request reaches the Worker, with the host it names', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using hawser = await startHawser({ config: await project(t) })
  const seen = async (...request: Parameters<typeof hawser.fetch>): Promise<unknown> =>
    (await hawser.fetch(...request)).json()
  const plain = { method: 'GET', body: '', STAGE: 'dev' }
  assert.match(hawser.url, /^http:\/\/127\.0\.0\.1:\d+$/)
  assert.deepEqual(await seen('/a?b=1'), { ...plain, url: `${hawser.url}/a?b=1` })
  assert.deepEqual(await seen('https://shop.example/a?b=1'), { ...plain, url: 'https://shop.example/a?b=1' })
  assert.deepEqual(await seen(new URL('/a', hawser.url)), { ...plain, url: `${hawser.url}/a` })
  const sent = { url: 'http://shop.example/b', method: 'POST', body: 'text', STAGE: 'dev' }
  assert.deepEqual(await seen('http://shop.example/b', { method: 'POST', body: 'text' }), sent)
  assert.deepEqual(await seen(new Request('http://shop.example/b', { method: 'POST', body: 'text' })), sent)
  const posted = new Request('http://shop.example/b', { method: 'POST', body: 'text' })
  assert.deepEqual(await seen(posted, { method: 'PUT' }), { ...sent, method: 'PUT' })
})

test('a redirect is the answer, and is followed where that is asked for', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using hawser = await startHawser({ config: await project(t) })
  const answer = await hawser.fetch('/away')
  assert.deepEqual([answer.status, answer.headers.get('location')], [302, 'https://example.com/'])
  await assert.rejects(hawser.fetch('/away', { redirect: 'error' }))
})

test('an environment and variables of the test are the Worker’s', LIMIT, async (t) => {
  assertNoLeaks(t)
  // An environment does not inherit bindings, only what is its own is asked for.
  const config = await project(t)
  await using staging = await startHawser({ config, env: 'staging' })
  await using changed = await startHawser({ config: `${config}/wrangler.json`, vars: { STAGE: 'test' } })
  const stageOf = async (hawser: Hawser): Promise<unknown> => ((await (await hawser.fetch('/')).json()) as Echo).STAGE
  assert.deepEqual([await stageOf(staging), await stageOf(changed)], ['staging', 'test'])
})

test('crons run by hand, with the time they are given, and what they log is kept', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using hawser = await startHawser({ config: await project(t) })
  assert.deepEqual(await hawser.scheduled('* * * * *', new Date(1_000)), { outcome: 'ok', noRetry: false })
  assert.equal((await hawser.scheduled('0 0 * * *')).outcome, 'exception')
  const lines = hawser.logs().filter(({ source }) => source === 'worker')
  assert.deepEqual(lines[0], { level: 'warn', source: 'worker', message: '* * * * * 1000' })
})

test('a cron of a Worker that has none ends like one that throws', LIMIT, async (t) => {
  assertNoLeaks(t)
  const config = await project(t, { 'index.js': 'export default { fetch: () => new Response("x") }' })
  await using hawser = await startHawser({ config })
  assert.equal((await hawser.scheduled('* * * * *')).outcome, 'exception')
})

test('many run at once, each with its own port, network and storage; nothing is left of them', LIMIT, async (t) => {
  assertNoLeaks(t)
  const warnings: Error[] = []
  const onWarning = (warning: Error): void => void warnings.push(warning)
  process.on('warning', onWarning)
  const { TMPDIR } = process.env
  t.after(() => {
    process.off('warning', onWarning)
    if (TMPDIR === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = TMPDIR
  })
  const config = await project(t)
  const temporary = await devProject(t, {})
  process.env['TMPDIR'] = temporary
  {
    await using all = new AsyncDisposableStack()
    const started = await Promise.all(Array.from({ length: 11 }, async () => all.use(await startHawser({ config }))))
    for (const hawser of started) assert.equal(await (await hawser.fetch('/kv')).text(), 'never')
    assert.equal(await (await started[0]?.fetch('/kv'))?.text(), 'yes')
    assert.equal(new Set(started.map(({ url }) => url)).size, 11)
    assert.notDeepEqual(readdirSync(temporary), [])
  }
  assert.deepEqual(readdirSync(temporary), [])
  assert.deepEqual(warnings, [])
})

test('rules of production hold unless relaxed', LIMIT, async (t) => {
  assertNoLeaks(t)
  const config = await project(t)
  {
    await using hawser = await startHawser({ config })
    assert.equal((await hawser.fetch('/public')).status, 403)
    assert.match((await hawser.flow({ binding: 'egress' })).verdict?.rule ?? '', /blocked/)
  }
  await using relaxed = await startHawser({ config, relaxed: ['blocked-addresses'] })
  await relaxed.fetch('/public')
  assert.equal((await relaxed.flow({ binding: 'egress' })).error?.code, 'connection_refused')
})

const REFUSED: readonly (readonly [string, object, RegExp])[] = [
  ['options_invalid', { wrangler: 'x' }, /^wrangler: no such option; known are config, /],
  ['config_invalid', { config: '/nowhere/wrangler.json' }, /no such file/],
  ['options_invalid', { relaxed: ['everything'] }, /^relaxed: expected connections, /],
  ['options_invalid', { networks: { LAB: { hosts: {} } } }, /networks: .* \(there are: OFFICE\), got "LAB"/],
  ['options_invalid', { tls: [{ match: 'a b' }] }, /^tls\[0\]\.match: must be .* got "a b"$/],
  ['options_invalid', { tls: [{ match: 'a', cert: 'x' }] }, /^tls\[0\]: "cert" and "key" belong together$/],
  ['options_invalid', { services: { LAB: { host: 'x' } } }, /services: .* \(there are: ORDERS\), got "LAB"/],
  ['options_invalid', { networks: { OFFICE: { hosts: { 'a b': 'x' } } } }, /networks\.OFFICE\.hosts: must be .* "a b"/],
  [
    'options_invalid',
    { networks: { OFFICE: { hosts: { db: '*.x' } } } },
    /hosts\["db"\]: must be one host, got "\*\.x"/,
  ],
  ['options_invalid', { services: { ORDERS: { host: 'x:1' } } }, /services\.ORDERS\.host: .*without a port, got "x:1"/],
]

for (const [code, options, message] of REFUSED) {
  test(`a start with ${JSON.stringify(options)} is refused with ${code}`, LIMIT, async (t) => {
    assertNoLeaks(t)
    const config = await project(t)
    await assert.rejects(startHawser({ config, ...options } as Parameters<typeof startHawser>[0]), (error) => {
      assert.ok(HawserError.is(error))
      assert.equal(error.code, code)
      assert.match(error.message, message)
      return true
    })
  })
}

test('a Worker that cannot be built or does not start is an error of the start', LIMIT, async (t) => {
  assertNoLeaks(t)
  const broken = await project(t, { 'index.js': 'export default {' })
  await assert.rejects(startHawser({ config: broken }), (error) => HawserError.is(error, 'bundle_failed'))
  const throwing = await project(t, { 'index.js': 'throw new Error("no"); export default {}' })
  await assert.rejects(startHawser({ config: throwing }), (error) => HawserError.is(error, 'runtime_failed'))
})

test('closing twice is closing once, and nothing is served afterwards', LIMIT, async (t) => {
  assertNoLeaks(t)
  const hawser = await startHawser({ config: await project(t) })
  await Promise.all([hawser.close(), hawser.close()])
  await hawser[Symbol.asyncDispose]()
  await assert.rejects(hawser.fetch('/'))
  await assert.rejects(
    hawser.network('OFFICE').serve(1, () => {}),
    (error) => HawserError.is(error, 'listen_failed'),
  )
})
