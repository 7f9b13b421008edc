/** What leaves a Worker through no binding of its own: `cloudflare:sockets`, `node:net`, `fetch()`. On real workerd. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { resetStream } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { answering, startSite, startTarget } from './test-site.ts'

const LIMIT = { timeout: 30_000 }
const SOCKETS = `import { connect } from 'cloudflare:sockets'`
const REFUSED = 'proxy request failed, cannot connect to the specified address'
const HTTP_HINT =
  '. It looks like you might be trying to connect to a HTTP-based service — consider using fetch instead'

test('connect() goes to the edge as egress, imported statically or dynamically', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.pipe(socket))
  const source = answering(
    `
    const dynamic = await import('cloudflare:sockets')
    const library = await (await import('./library.ts')).open('db.example:5432')
    return [
      await echo(connect('db.example:5432'), 'static'),
      await echo(dynamic.connect({ hostname: 'db.example', port: 5432 }), 'dynamic'),
      await echo(library, 'library'),
      Object.keys(dynamic).sort(), connect.length, dynamic.connect === connect,
    ]`,
    SOCKETS,
  )
  const files = { 'library.ts': `${SOCKETS}\nexport const open = async (address) => connect(address)` }
  await using site = await startSite(t, { source, files })
  site.edge.routes.set('db.example:5432', { port: target.port })
  const names = ['connect', 'internalNewHttpClient']
  assert.deepEqual(await site.json(), ['static', 'dynamic', 'library', names, 2, true])
  assert.ok(site.edge.calls.every(({ binding, door }) => binding === 'egress' && door === 'tcp'))
})

test('the socket is not thenable, and opened says what was asked for', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.pipe(socket))
  const source = answering(
    `
    const socket = new connect('DB.example:5432')
    const result = [typeof socket.then, (await socket) === socket, await socket.opened]
    await socket.close()
    return result`,
    SOCKETS,
  )
  await using site = await startSite(t, { source })
  site.edge.routes.set('DB.example:5432', { port: target.port })
  assert.deepEqual(await site.json(), ['undefined', true, { remoteAddress: 'DB.example:5432' }])
})

test('failures have exactly the documented messages, on opened and on closed', LIMIT, async (t) => {
  assertNoLeaks(t)
  const cases = [
    ['private.example:5432', 'destination_ip_prohibited', REFUSED],
    ['gone.example:5432', 'dns_error', REFUSED],
    ['web.example:80', 'connection_refused', REFUSED + HTTP_HINT],
    ['web.example:443', 'destination_ip_prohibited', REFUSED + HTTP_HINT],
    ['mail.example:25', 'destination_port_prohibited', 'Connections to port 25 are prohibited'],
    ['self.example:8080', 'proxy_loop_detected', 'TCP Loop detected'],
  ] as const
  const source = answering(
    `
    const messages = async (address) => {
      const socket = connect(address)
      const outcomes = await Promise.all([attempt(() => socket.opened), attempt(() => socket.closed)])
      const [url] = [new URL('fake://' + address)]
      const object = await attempt(() => connect({ hostname: url.hostname, port: Number(url.port) }).opened)
      return [...outcomes, object]
    }
    return Promise.all((await request.json()).map(messages))`,
    SOCKETS,
  )
  await using site = await startSite(t, { source })
  for (const [address, code] of cases) site.edge.routes.set(address, { code })
  const body = JSON.stringify(cases.map(([address]) => address))
  const answer = await (await site.worker.fetch('/', { method: 'POST', body })).json()
  // `error` and `message` alone: native errors have no properties of their own.
  const expected = cases.map(([, , message]) => Array.from({ length: 3 }, () => ({ error: 'Error', message })))
  assert.deepEqual(answer, expected)
})

test('a failure that nobody awaits is no unhandled rejection', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = answering(
    `connect('gone.example:1'); await attempt(() => connect('gone.example:2').opened); await scheduler.wait(1); return unhandled`,
    `${SOCKETS}\nconst unhandled = []; addEventListener('unhandledrejection', (event) => unhandled.push(String(event.reason)))`,
  )
  await using site = await startSite(t, { source })
  assert.deepEqual(await site.json(), [])
})

test('a socket cannot be copied, as natively, and shows nothing of what it is made of', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.pipe(socket))
  const source = answering(
    `
    const socket = connect('db.example:1', { secureTransport: 'starttls' })
    const cloned = await attempt(() => structuredClone(socket))
    const posted = await attempt(() => new MessageChannel().port1.postMessage(socket))
    const prototype = Object.getPrototypeOf(socket)
    const result = [
      cloned.error, posted.error, Object.getPrototypeOf(prototype) === Object.prototype, Reflect.ownKeys(socket), JSON.stringify(socket),
      String(socket), typeof socket.dispose, (await attempt(() => new socket.constructor())).message, await echo(socket, 'works'),
    ]
    await socket.close()
    return result`,
    SOCKETS,
  )
  await using site = await startSite(t, { source })
  site.edge.routes.set('db.example:1', { port: target.port })
  assert.deepEqual(await site.json(), [
    'DataCloneError',
    'DataCloneError',
    true,
    [],
    '{}',
    '[object Socket]',
    'undefined',
    'Illegal constructor',
    'works',
  ])
})

test('a reset arrives as one', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.once('data', () => resetStream(socket)))
  const source = answering(
    `
    const socket = connect('db.example:5432')
    await socket.writable.getWriter().write(bytes('x'))
    return (await attempt(() => socket.readable.getReader().read())).message`,
    SOCKETS,
  )
  await using site = await startSite(t, { source })
  site.edge.routes.set('db.example:5432', { port: target.port })
  assert.equal(await site.json(), 'Network connection lost.')
})

test('in the global scope connect() is refused in the native words', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = answering(
    `return refused`,
    `${SOCKETS}\nlet refused\ntry { connect('db.example:5432') } catch (error) { refused = error.message }`,
  )
  await using site = await startSite(t, { source })
  assert.match(String(await site.json()), /^Disallowed operation called within global scope\. Asynchronous I\/O/)
  assert.deepEqual(site.edge.calls, [])
})

test('the hidden binding is in no env that user code can see', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = answering(
    `
    const object = env.COUNTER.get(env.COUNTER.idFromName('a'))
    const seen = [atStart, Reflect.ownKeys(globalEnv), Reflect.ownKeys(env), await object.names(), await ctx.exports.Named.names()]
    return seen.map((names) => names.sort().join())`,
    `import { DurableObject, env as globalEnv, WorkerEntrypoint } from 'cloudflare:workers'
     ${SOCKETS}
     const atStart = Reflect.ownKeys(globalEnv)
     export class Counter extends DurableObject { names() { return Reflect.ownKeys(this.env) } }
     export class Named extends WorkerEntrypoint { names() { return Reflect.ownKeys(this.env) } }
     export const use = connect`,
  )
  const config = {
    durable_objects: { bindings: [{ name: 'COUNTER', class_name: 'Counter' }] },
    migrations: [{ tag: 'v1', new_sqlite_classes: ['Counter'] }],
    compatibility_flags: ['enable_ctx_exports'],
  }
  await using site = await startSite(t, { source, config })
  assert.deepEqual(
    await site.json(),
    Array.from({ length: 5 }, () => 'COUNTER,PRIVATE'),
  )
})

test('sockets work in Durable Objects too', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.end('hello'))
  const source = answering(
    `const object = env.OBJECT.get(env.OBJECT.idFromName('a')); return [await object.viaGlobal(), await object.viaBinding()]`,
    `import { DurableObject } from 'cloudflare:workers'
     ${SOCKETS}
     export class Object_ extends DurableObject {
       viaGlobal() { return new Response(connect('db.example:1').readable).text() }
       async viaBinding() { return new Response((await this.env.PRIVATE.connect('db.example:1')).readable).text() }
     }`,
  )
  const config = {
    durable_objects: { bindings: [{ name: 'OBJECT', class_name: 'Object_' }] },
    migrations: [{ tag: 'v1', new_sqlite_classes: ['Object_'] }],
  }
  await using site = await startSite(t, { source, config })
  site.edge.routes.set('db.example:1', { port: target.port })
  assert.deepEqual(await site.json(), ['hello', 'hello'])
})

test('node:net goes the same way, with half-close', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => {
    let received = ''
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()))
    socket.on('end', () => socket.end(`got ${received}`))
  })
  const source = answering(
    `
    const talk = (host) => new Promise((resolve) => {
      const events = []
      const socket = net.connect({ host, port: 6379, allowHalfOpen: true }, () => socket.end('PING'))
      socket.on('data', (chunk) => events.push(chunk.toString()))
      socket.on('end', () => events.push('end'))
      socket.on('error', (error) => events.push('error ' + error.code))
      socket.on('close', () => resolve(events))
    })
    return [await talk('redis.example'), await talk('gone.example')]`,
    `import net from 'node:net'`,
  )
  await using site = await startSite(t, { source, config: { compatibility_flags: ['nodejs_compat'] } })
  site.edge.routes.set('redis.example:6379', { port: target.port })
  assert.deepEqual(await site.json(), [['got PING', 'end'], ['error EHOSTUNREACH']])
  assert.deepEqual(
    site.edge.calls.map(({ binding, door, target: to }) => [binding, door, to]),
    [
      ['egress', 'tcp', 'redis.example:6379'],
      ['egress', 'tcp', 'gone.example:6379'],
    ],
  )
})

test('the global fetch() goes to the edge as egress, and its answers come back as they are', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using server = await startHttp()
  const source = answering(`
    const good = await fetch('http://api.example/x')
    const bad = await fetch('https://gone.example/')
    return [good.status, await good.text(), bad.status]`)
  await using site = await startSite(t, { source })
  site.edge.routes.set('api.example:80', { port: server.port })
  assert.deepEqual(await site.json(), [200, 'GET /x', 502])
  assert.deepEqual(
    site.edge.calls.map(({ binding, target: to }) => [binding, to]),
    [
      ['egress', 'http://api.example/x'],
      ['egress', 'https://gone.example/'],
    ],
  )
})

test('a Hyperdrive connection string leads to its own database, not to the edge', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.end('a database'))
  const source = answering(
    `
    const { host, port } = env.DB
    return [host.endsWith('.hyperdrive.local'), await readAll(connect({ hostname: host, port }).readable)]`,
    SOCKETS,
  )
  const url = `postgres://user:secret@127.0.0.1:${target.port}/db`
  const config = { hyperdrive: [{ binding: 'DB', id: 'x', localConnectionString: url }] }
  await using site = await startSite(t, { source, config })
  assert.deepEqual(await site.json(), [true, 'a database'])
  assert.deepEqual(site.edge.calls, [])
})

test(
  'where a Worker forbids importing env, its connect() still goes to the edge, and the log says what is lost',
  LIMIT,
  async (t) => {
    assertNoLeaks(t)
    await using target = await startTarget((socket) => socket.pipe(socket))
    const source = answering(
      `return [await echo(connect('db.example:1'), 'native'), (await attempt(() => connect('mail.example:25').opened)).message, Object.keys(env)]`,
      SOCKETS,
    )
    const config = { compatibility_flags: ['disallow_importable_env'] }
    await using site = await startSite(t, { source, config })
    site.edge.routes.set('db.example:1', { port: target.port })
    site.edge.routes.set('mail.example:25', { code: 'destination_port_prohibited' })
    assert.deepEqual(await site.json(), ['native', REFUSED, ['PRIVATE']])
    assert.ok(site.edge.calls.every(({ binding, door }) => binding === 'egress' && door === 'unix'))
    assert.equal(site.log.at('warn').filter(({ message }) => message.includes('disallow_importable_env')).length, 1)
  },
)

async function startHttp(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((request, response) => response.end(`${request.method} ${request.url}`))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
