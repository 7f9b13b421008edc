/** Which calls count as one invocation, and that wrapped exports stay what they were. On real workerd. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import type { FakeEdge } from './fake-edge.ts'
import { answering, startSite, startTarget } from './test-site.ts'

const LIMIT = { timeout: 30_000 }
const NAME_LENGTH = 12

/** For each connection, in the order of arrival: its port, and the number of the invocation that opened it. */
function invocations(edge: FakeEdge): Map<string, number> {
  const names: string[] = []
  const found = new Map<string, number>()
  for (const { target, id = '' } of edge.calls.filter(({ kind }) => kind === 'connect')) {
    const name = id.slice(0, NAME_LENGTH)
    if (!names.includes(name)) names.push(name)
    found.set(target.slice(target.indexOf(':') + 1), names.indexOf(name))
  }
  return found
}

/** Ports of the calls that were one invocation, each group and all groups in order. */
function groups(edge: FakeEdge): number[][] {
  const grouped = Map.groupBy(invocations(edge), ([, invocation]) => invocation)
  const lists = [...grouped.values()].map((entries) => entries.map(([port]) => Number(port)).toSorted((a, b) => a - b))
  return lists.toSorted(([a = 0], [b = 0]) => a - b)
}

/** `open(port)` opens one connection that never succeeds, which is enough to be seen. */
const OPEN = `const open = (port) => connect({ hostname: 'gone.internal', port }).opened.catch(() => {})`
const SOCKETS = `import { connect } from 'cloudflare:sockets'\n${OPEN}`

test('all connections of one request share a name, and two requests do not', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = answering(
    `
    const first = Number(new URL(request.url).pathname.slice(1))
    await Promise.all([open(first), env.PRIVATE.connect('gone.internal:' + (first + 1)).opened.catch(() => {})])
    await scheduler.wait(1)
    setTimeout(() => open(first + 2), 1)
    await new Promise((resolve) => setTimeout(resolve, 2))
    ctx.waitUntil((async () => { await scheduler.wait(1); await open(first + 3) })())
    await Promise.resolve().then(() => open(first + 4))
    const body = new ReadableStream({ async pull(controller) { await open(first + 5); controller.close() } })
    return (await new Response(body).text()).length`,
    SOCKETS,
  )
  await using site = await startSite(t, { source })
  await Promise.all([site.json('/10'), site.json('/20')])
  while (site.edge.calls.length < 12) await new Promise(setImmediate)
  assert.deepEqual(groups(site.edge), [
    [10, 11, 12, 13, 14, 15],
    [20, 21, 22, 23, 24, 25],
  ])
  const ids = site.edge.calls.map(({ id = '' }) => id)
  assert.equal(new Set(ids).size, ids.length)
  for (const id of ids) assert.match(id, /^[a-z0-9]{13,32}$/)
})

test('a call to the Worker itself, or to its Durable Object, is an invocation of its own', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = answering(
    `
    await open(1)
    await env.SELF.fetch('http://self/inner')
    await env.NAMED.twice(20)
    const object = env.OBJECT.get(env.OBJECT.idFromName('a'))
    await object.fetch('http://object/')
    await object.twice(40)
    await object.field
    await object.inner(44)
    await env.OLD.get(env.OLD.idFromName('a')).fetch('http://old/')
    await open(2)
    return null`,
    `import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers'
     ${SOCKETS}
     export class Named extends WorkerEntrypoint {
       async twice(port) { await open(port); await open(port + 1); await this.helper(port) }
       async helper(port) { await open(port + 2) }
     }
     class Base extends DurableObject {
       async inner(port) { await open(port) }
     }
     export class Object_ extends Base {
       constructor(ctx, env) { super(ctx, env); ctx.blockConcurrencyWhile(() => open(50)) }
       async fetch() { await open(30); await open(31); return new Response() }
       async twice(port) { await open(port); await super.inner(port + 1) }
       get field() { return open(43) }
     }
     export class Old {
       async fetch() { await open(60); await open(61); return new Response() }
     }`,
  ).replace(
    'async function answer(request, env, ctx) {',
    '$& if (request.url.endsWith("/inner")) { await open(10); return open(11) }',
  )
  const config = {
    services: [
      { binding: 'SELF', service: 'test-worker' },
      { binding: 'NAMED', service: 'test-worker', entrypoint: 'Named' },
    ],
    durable_objects: {
      bindings: [
        { name: 'OBJECT', class_name: 'Object_' },
        { name: 'OLD', class_name: 'Old' },
      ],
    },
    migrations: [{ tag: 'v1', new_sqlite_classes: ['Object_', 'Old'] }],
  }
  await using site = await startSite(t, { source, config })
  assert.equal(await site.json(), null)
  assert.deepEqual(groups(site.edge), [[1, 2], [10, 11], [20, 21, 22], [30, 31], [40, 41], [43], [44], [50], [60, 61]])
})

test('cron triggers, queues and alarms are invocations', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = answering(
    `
    await env.QUEUE.send('x')
    await env.OBJECT.get(env.OBJECT.idFromName('a')).start()
    while (!globalThis.queued || !globalThis.rung) await scheduler.wait(5)
    return null`,
    `import { DurableObject } from 'cloudflare:workers'
     ${SOCKETS}
     export class Object_ extends DurableObject {
       async start() { await this.ctx.storage.setAlarm(Date.now()) }
       async alarm() { await open(30); await open(31); globalThis.rung = true }
     }`,
  ).replace(
    'export default {',
    `export default {
      async scheduled() { await open(10); await open(11) },
      async queue() { await open(20); await open(21); globalThis.queued = true },`,
  )
  const config = {
    queues: {
      producers: [{ binding: 'QUEUE', queue: 'q' }],
      consumers: [{ queue: 'q', max_batch_timeout: 0 }],
    },
    durable_objects: { bindings: [{ name: 'OBJECT', class_name: 'Object_' }] },
    migrations: [{ tag: 'v1', new_sqlite_classes: ['Object_'] }],
  }
  await using site = await startSite(t, { source, config })
  await (await site.worker.fetch('/cdn-cgi/handler/scheduled')).text()
  assert.equal(await site.json(), null)
  assert.deepEqual(groups(site.edge), [
    [10, 11],
    [20, 21],
    [30, 31],
  ])
})

test('code that runs in no context, such as listeners of WebSockets, never shares a name', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = answering(
    `
    const [client, server] = Object.values(new WebSocketPair())
    server.accept()
    client.accept()
    const done = new Promise((resolve) => client.addEventListener('message', resolve))
    server.addEventListener('message', async () => { await open(1); await open(2); server.send('done') })
    client.send('x')
    await done
    return null`,
    SOCKETS,
  )
  await using site = await startSite(t, { source })
  assert.equal(await site.json(), null)
  assert.deepEqual(groups(site.edge), [[1], [2]])
})

test('handlers keep their this, whatever kind of object they are on', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = `
    class App {
      #secret = 'private'
      static made = 0
      constructor() { App.made += 1 }
      get name() { return 'app' }
      async fetch(request, env, ctx) {
        this.count = (this.count ?? 0) + 1
        const late = this === app && typeof ctx.waitUntil === 'function'
        return Response.json([this.#secret, this.name, this instanceof App, App.made, this.count, late, this.fetch === App.prototype.fetch])
      }
    }
    const app = Object.freeze(Object.assign(Object.create(App.prototype), {}))
    const live = new App()
    export const named = Object.freeze({ greeting: 'hi', fetch() { return new Response(this.greeting) } })
    export { live as second }
    export default {
      async fetch(request, env, ctx) {
        if (request.url.endsWith('/swap')) { this.fetch = () => new Response('swapped'); return new Response('next') }
        const answer = await live.fetch(request, env, ctx)
        const parts = [await answer.json(), await (await env.NAMED.fetch('http://x')).text(), await (await env.SECOND.fetch('http://x')).json()]
        return Response.json(parts)
      },
    }`
  const config = {
    services: [
      { binding: 'NAMED', service: 'test-worker', entrypoint: 'named' },
      { binding: 'SECOND', service: 'test-worker', entrypoint: 'second' },
    ],
  }
  await using site = await startSite(t, { source, config })
  const answer = (count: number): unknown => ['private', 'app', true, 1, count, false, true]
  assert.deepEqual(await site.json(), [answer(1), 'hi', answer(2)])
  assert.equal(await (await site.worker.fetch('/swap')).text(), 'next')
  assert.equal(await (await site.worker.fetch('/')).text(), 'swapped')
})

test(
  'classes keep their identity, statics, private members, fields and storage; RPC works as ever',
  LIMIT,
  async (t) => {
    assertNoLeaks(t)
    const source = answering(
      `
    const object = env.OBJECT.get(env.OBJECT.idFromName('a'))
    const second = await ctx.exports.Object_.get(ctx.exports.Object_.idFromName('a')).add(5)
    const missing = await attempt(() => object.hidden())
    const field = await attempt(() => object.arrow())
    return [
      await object.add(1), second, await object.add(1), await object.identity(), await object.label, missing.message, field.message,
      await env.NAMED.props(), await (await env.NAMED.fetch('http://x')).text(), await env.NAMED.pass((n) => n + 1), await (await env.NAMED.session()).hello(),
      await env.NAMED.counted, exportedName, main.Object_ === Object_, Object.keys(main).sort(),
    ]`,
      `import { DurableObject, RpcTarget, WorkerEntrypoint } from 'cloudflare:workers'
     import * as main from './index.ts'
     class Session extends RpcTarget { hello() { return 'hello' } }
     export class Object_ extends DurableObject {
       static kind = 'static'
       static #made = 0
       #private = 'mine'
       field = 'field'
       arrow = () => 'not for RPC'
       constructor(ctx, env) { super(ctx, env); Object_.#made += 1; this.newTarget = new.target.name }
       get label() { return this.#private + ' ' + this.field }
       async add(n) { const sum = ((await this.ctx.storage.get('n')) ?? 0) + n; await this.ctx.storage.put('n', sum); return sum }
       identity() {
         return [this instanceof Object_, this.constructor === Object_, this.constructor.kind, this.constructor.name, Object_.#made,
           this.newTarget, typeof this.env.OBJECT, this.ctx.id.name, this.add.name]
       }
     }
     const exportedName = Object_.name
     export class Named extends WorkerEntrypoint {
       fetch = (request) => new Response('a field ' + typeof this.env.OBJECT)
       props() { return this.ctx.props }
       pass(callback) { return callback(1) }
       session() { return new Session() }
       get counted() { return 7 }
     }`,
    )
    const config = {
      compatibility_flags: ['enable_ctx_exports'],
      services: [{ binding: 'NAMED', service: 'test-worker', entrypoint: 'Named', props: { a: 1 } }],
      durable_objects: { bindings: [{ name: 'OBJECT', class_name: 'Object_' }] },
      migrations: [{ tag: 'v1', new_sqlite_classes: ['Object_'] }],
    }
    await using site = await startSite(t, { source, config })
    assert.deepEqual(await site.json(), [
      6,
      5,
      7,
      [true, true, 'static', 'Object_', 1, 'Object_', 'object', 'a', 'add'],
      'mine field',
      'The RPC receiver does not implement the method "hidden".',
      'The RPC receiver does not implement the method "arrow".',
      { a: 1 },
      'a field object',
      2,
      'hello',
      7,
      'Object_',
      true,
      ['Named', 'Object_', 'default'],
    ])
  },
)

test('a default export that is a class, and WebSockets that hibernate, work as ever', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTarget((socket) => socket.end('hello'))
  const source = `
    import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers'
    import { connect } from 'cloudflare:sockets'
    export class Room extends DurableObject {
      fetch() {
        const [client, server] = Object.values(new WebSocketPair())
        this.ctx.acceptWebSocket(server)
        return new Response(null, { status: 101, webSocket: client })
      }
      async webSocketMessage(socket, message) {
        socket.send(message + ' ' + (await new Response(connect('db.internal:1').readable).text()))
      }
    }
    export default class extends WorkerEntrypoint {
      async fetch(request) {
        const room = this.env.ROOM.get(this.env.ROOM.idFromName('a'))
        const { webSocket } = await room.fetch('http://room', { headers: { upgrade: 'websocket' } })
        webSocket.accept()
        const answer = new Promise((resolve) => webSocket.addEventListener('message', ({ data }) => resolve(data)))
        webSocket.send('well')
        const text = await answer
        webSocket.close()
        return Response.json(text)
      }
    }`
  const config = {
    durable_objects: { bindings: [{ name: 'ROOM', class_name: 'Room' }] },
    migrations: [{ tag: 'v1', new_sqlite_classes: ['Room'] }],
  }
  await using site = await startSite(t, { source, config })
  site.edge.routes.set('db.internal:1', { port: target.port })
  assert.equal(await site.json(), 'well hello')
})
