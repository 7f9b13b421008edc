/** Every project of `examples/`, its files untouched, against servers that are real where the machine has them. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test from 'node:test'
import { promisify } from 'node:util'
import { startHawser } from 'hawser/testing'
import type { Hawser, HawserOptions, HttpHandler } from 'hawser/testing'
import { assertNoLeaks } from '@hawser/testkit'
import { startMosquitto } from './support/mosquitto.ts'
import { REPOSITORY } from './support/process.ts'
import { startRedis } from './support/redis.ts'

const LIMIT = { timeout: 120_000 }
const EXAMPLES = join(REPOSITORY, 'examples')

function start(name: string, options: Omit<HawserOptions, 'config'> = {}): Promise<Hawser> {
  return startHawser({ config: join(EXAMPLES, name), ...options })
}

function post(body: unknown): RequestInit {
  return { method: 'POST', body: JSON.stringify(body) }
}

test('redis: commands in one round trip, whatever the bytes of a value', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using redis = await startRedis()
  if (redis === undefined) return t.skip('no redis-server here')
  await using h = await start('redis', { networks: { PRIVATE: { hosts: { '10.0.1.50:6379': redis.address } } } })
  const missing = await h.fetch('/ship')
  assert.deepEqual([missing.status, await missing.json()], [404, { value: null, keys: [null, null] }])
  const value = `Grüße\r\n+OK\r\n${'x'.repeat(100_000)}`
  const stored = await h.fetch('/ship', { method: 'PUT', body: value })
  assert.deepEqual(await stored.json(), { stored: 'OK', writes: 1 })
  assert.deepEqual(await (await h.fetch('/ship')).json(), { value, keys: [value, null] })
  const flows = await h.flows({ binding: 'PRIVATE', requested: '10.0.1.50:6379', outcome: 'ok' })
  assert.equal(flows.length, 3)
})

test('redis: what a server answers may come in pieces, and an error is one', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using h = await start('redis')
  await h.network('PRIVATE').serve('10.0.1.50:6379', (socket: Socket) => {
    socket.once('data', () =>
      socket.write('$3\r\nab', () => setImmediate(() => socket.write('c\r\n-ERR no memory\r\n'))),
    )
  })
  const failed = await h.fetch('/ship')
  assert.equal(failed.status, 500)
  assert.match(await failed.text(), /ERR no memory/)
})

test('mqtt: the bytes of a message, and of its acknowledgement', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using h = await start('mqtt')
  await h
    .network('PLANT')
    .serve('broker.internal:1883', [
      { expect: Buffer.from('\x10\x1b\x00\x04MQTT\x04\x02\x00\x3c\x00\x0f', 'latin1') },
      { expect: /worker-[0-9a-f]{8}/ },
      { reply: Uint8Array.of(0x20, 2, 0, 0) },
      { expect: Buffer.from('\x32\x0e\x00\x06boiler\x00\x0121.5', 'latin1') },
      { reply: Uint8Array.of(0x40, 2, 0, 1) },
      { expect: Uint8Array.of(0xe0, 0) },
    ])
  const answer = await h.fetch('/boiler', { method: 'POST', body: '21.5' })
  assert.deepEqual(await answer.json(), { published: 'boiler' })
})

test('mqtt: a message reaches a broker', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using broker = await startMosquitto()
  if (broker === undefined) return t.skip('no mosquitto here')
  const hosts = { 'broker.internal:1883': `127.0.0.1:${broker.port}` }
  await using h = await start('mqtt', { networks: { PLANT: { hosts } } })
  const payload = '21.5 °C '.repeat(40) // its length takes two bytes
  const answer = await h.fetch('/plant/boiler', { method: 'POST', body: payload })
  assert.deepEqual(await answer.json(), { published: 'plant/boiler' })
  assert.equal(await broker.received('plant/boiler'), Buffer.byteLength(payload))
})

test('gopher: the answer comes after the question has ended', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using h = await start('gopher')
  await h
    .network('GATEWAY')
    .serve('gopher.floodgap.com:70', [
      { expect: '/world\r\n' },
      { reply: 'iHello\tfake\t(NULL)\t0\r\n' },
      { reply: '.\r\n' },
      { end: true },
    ])
  const answer = await h.fetch('/world')
  assert.equal(answer.headers.get('content-type'), 'text/plain')
  assert.equal(await answer.text(), 'iHello\tfake\t(NULL)\t0\r\n.\r\n')
})

test(
  'internal-api: a registered service is called with its token, and its absence is an exception',
  LIMIT,
  async (t) => {
    assertNoLeaks(t)
    await using h = await start('internal-api')
    const service = await h.service('INVENTORY').serve({
      async fetch(request) {
        const { host, pathname } = new URL(request.url)
        const token = request.headers.get('authorization')
        if (host !== 'inventory.internal' || token !== 'Bearer token-of-the-worker')
          return new Response('', { status: 401 })
        if (request.method === 'POST') return new Response(await request.text(), { status: 201 })
        if (pathname === '/items/rope') return Response.json({ name: 'rope', count: 3 })
        return new Response('', { status: 404 })
      },
    })
    assert.deepEqual(await (await h.fetch('/rope')).json(), { name: 'rope', inStock: true })
    const missing = await h.fetch('/chain')
    assert.deepEqual([missing.status, await missing.text()], [404, 'No such item\n'])
    const created = await h.fetch('/', post({ name: 'chain', count: 0, admin: true }))
    assert.deepEqual([created.status, await created.json()], [201, { name: 'chain', count: 0 }])
    await service.close()
    await using dead = await start('internal-api', {
      services: { INVENTORY: { host: '127.0.0.1', httpPort: service.port } },
    })
    const failed = await dead.fetch('/rope')
    assert.deepEqual([failed.status, await failed.json()], [502, { error: 'Error: ProxyError: connection_refused' }])
  },
)

interface Quote {
  readonly symbol: string
  readonly price: number | null
  readonly connections: number
}

test('durable-object: requests share a connection, and the alarm makes it anew when it breaks', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using h = await start('durable-object', { vars: { CHECK_MS: '100' } })
  const connections: Socket[] = []
  const waiting = new Set<() => void>()
  await h.network('EXCHANGE').serve('ticker.internal:7000', (socket: Socket) => {
    connections.push(socket)
    for (const wake of waiting) wake()
    socket.write(`OIL ${connections.length}0\nGOLD 1`, () => socket.write('5\n')) // a line in two pieces
  })
  const ask = async (symbol: string): Promise<Quote> => (await (await h.fetch(`/${symbol}`)).json()) as Quote
  const until = async (symbol: string, price: number): Promise<Quote> => {
    let quote = await ask(symbol)
    while (quote.price !== price) quote = await ask(symbol)
    return quote
  }
  assert.equal((await until('OIL', 10)).connections, 1)
  assert.deepEqual(await until('GOLD', 15), { symbol: 'GOLD', price: 15, connections: 1 })
  assert.equal(connections.length, 1)
  connections[0]?.destroy()
  while (connections.length < 2) await new Promise<void>((resolve) => waiting.add(resolve)) // nobody asks: it is the alarm
  assert.equal((await until('OIL', 20)).connections, 2)
})

test('queue-and-cron: what is queued and what the clock does reach a private server', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using h = await start('queue-and-cron')
  const batches: string[] = []
  const waiting = new Set<() => void>()
  await h.network('OPERATIONS').serve('graphite.internal:2003', async (socket: Socket) => {
    batches.push(await text(socket))
    for (const wake of waiting) wake()
  })
  const batch = async (count: number): Promise<string> => {
    while (batches.length < count) await new Promise<void>((resolve) => waiting.add(resolve))
    return batches[count - 1] ?? ''
  }
  const queued = await h.fetch('/', post({ shop: 'harbour', amount: 12 }))
  assert.deepEqual([queued.status, await queued.text()], [202, 'Queued\n'])
  assert.match(await batch(1), /^sales\.harbour 12 \d{10}\n$/)
  assert.equal((await h.scheduled('*/5 * * * *')).outcome, 'ok')
  assert.match(await batch(2), /^worker\.alive 1 \d{10}\n$/)
})

/** Says who was asked for what. */
const ECHO: HttpHandler = {
  fetch(request) {
    const { host, pathname } = new URL(request.url)
    if (pathname === '/away') return new Response('', { status: 302, headers: { location: 'http://10.0.0.1/' } })
    return new Response(`${host} ${pathname}`)
  },
}

test('safe-proxy: visitors reach what they may, and are told what the platform says of the rest', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using h = await start('safe-proxy')
  const { port } = await h.service('REPORTS').serve(ECHO)
  await h.network('OFFICE').serve('wiki.internal:8080', ECHO)
  const ask = async (way: string, target: string): Promise<[number, string]> => {
    const answer = await h.fetch(`/${way}?target=${encodeURIComponent(target)}`)
    const body = await answer.text()
    const words = body.startsWith('{') ? (JSON.parse(body) as { refused: string }).refused : body
    return [answer.status, words.split('\n')[0] ?? '']
  }
  // V-030: by construction
  assert.deepEqual(await ask('service', 'http://169.254.169.254/latest'), [200, '169.254.169.254 /latest'])
  assert.deepEqual(await ask('network', 'http://wiki.internal:8080/page'), [200, 'wiki.internal:8080 /page'])
  // V-074: the Worker's own list
  assert.deepEqual(await ask('network', 'http://10.0.0.1/'), [403, '10.0.0.1 is not for visitors'])
  assert.equal((await ask('network', 'http://wiki.internal:8080/away'))[0], 302)
  assert.deepEqual(await ask('fetch', 'file:///etc/passwd'), [403, 'only http: and https:'])
  for (const host of ['127.0.0.1', '2130706433', '10.0.0.1', '169.254.169.254', '[::1]', 'localhost']) {
    assert.deepEqual(await ask('fetch', `http://${host}:${port}/`), [403, 'error code: 1003'], host)
    const [status, refusal] = await ask('socket', `${host}:${port}`)
    assert.equal(status, 403)
    assert.match(refusal, /proxy request failed, cannot connect to the specified address/, host)
  }
  // V-302, V-303
  assert.match((await ask('socket', '192.0.2.1:25'))[1], /Connections to port 25 are prohibited/)
  assert.match((await ask('socket', new URL(h.url).host))[1], /TCP Loop detected/)
})

test('shared-module: one module asks the same server from a Worker and from Node', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using h = await start('shared-module')
  const service = await h
    .network('OFFICE')
    .serve('people.internal:79', [{ expect: 'ann\r\n' }, { reply: 'Login: ann\r\n' }, { end: true }])
  assert.equal(await (await h.fetch('/ann')).text(), 'Login: ann\r\n')
  const program = join(EXAMPLES, 'shared-module/src/node.ts')
  const words = ['--conditions=hawser-source', program, `127.0.0.1:${service.port}`, 'ann']
  assert.equal((await promisify(execFile)(process.execPath, words)).stdout, 'Login: ann\r\n')
})

test('every example is a project that can be deployed as it is, with a few lines on what it is', () => {
  const folders = readdirSync(EXAMPLES).filter((name) => name !== 'demo')
  assert.equal(folders.length, 11)
  for (const folder of folders) {
    const read = (file: string): string => readFileSync(join(EXAMPLES, folder, file), 'utf8')
    assert.match(read('wrangler.jsonc'), /"vpc_(?:networks|services)"/, folder)
    assert.match(read('README.md'), /^# .+\n\n[^]{100,}/, folder)
    assert.match(read('package.json'), new RegExp(`"name": "hawser-example-${folder}"`), folder)
    assert.doesNotMatch(read('src/index.ts'), /hawser/i, `examples/${folder} is for the vendor's platform, too`)
    assert.ok(read('hawser.jsonc').length > 0)
  }
})
