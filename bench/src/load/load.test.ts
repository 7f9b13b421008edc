/** Every load against the target it is meant for, with nothing in between. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { LOOPBACK, portOf } from '../ports.ts'
import { startRole } from '../role.ts'
import type { Service, TargetOperations } from '../roles/target.ts'
import { Scope } from '../scope.ts'
import { bulk } from './bulk.ts'
import { exchange } from './exchange.ts'
import { http, probe } from './http.ts'
import { IdleConnections } from './idle.ts'
import { latency } from './latency.ts'
import { reconnect } from './reconnect.ts'
import { StalledConnection } from './stalled.ts'

const LIMIT = { timeout: 30_000 }
const SPAN = { rampMs: 20, countMs: 250 }

const never = new AbortController().signal

/** Something that listens for as long as one test runs. */
interface Listening extends AsyncDisposable {
  readonly port: number
}

async function target(service: Service): Promise<Listening> {
  const scope = await Scope.open(never)
  const port = await (await startRole<TargetOperations>(scope, 'target')).call('listen', service)
  return { port, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() }
}

/** A server that treats each connection as `serve` does. */
async function server(serve: (socket: Socket) => void): Promise<Listening> {
  const sockets: Socket[] = []
  const listening = createServer((socket) => {
    sockets.push(socket.on('error', () => {}))
    serve(socket)
  })
  listening.listen(0, LOOPBACK)
  await once(listening, 'listening')
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    listening.close()
    await once(listening, 'close')
  }
  return { port: portOf(listening), [Symbol.asyncDispose]: close }
}

test('bulk counts what a source sends, on one stream and on eight', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using running = await target('source')
  const { port } = running
  for (const streams of [1, 8]) assert.ok((await bulk({ ...SPAN, port, streams })) > 1)
})

test('bulk fails if a connection ends, and if nothing comes', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using ending = await server((socket) => socket.end('a little'))
  await assert.rejects(bulk({ rampMs: 5_000, countMs: 50, port: ending.port, streams: 2 }), /ended early/)
  await using silent = await server(() => {})
  await assert.rejects(bulk({ ...SPAN, port: silent.port, streams: 1 }), /nothing came through/)
})

test('a load against a port where nobody listens says so', LIMIT, async (t) => {
  assertNoLeaks(t)
  const gone = createServer().listen(0, LOOPBACK)
  await once(gone, 'listening')
  const port = portOf(gone)
  gone.close()
  await once(gone, 'close')
  await assert.rejects(bulk({ ...SPAN, port, streams: 1 }), { code: 'ECONNREFUSED' })
  await assert.rejects(exchange({ ...SPAN, port, clients: 3 }), { code: 'ECONNREFUSED' })
  await assert.rejects(reconnect({ ...SPAN, port, concurrency: 3 }), { code: 'ECONNREFUSED' })
  await assert.rejects(new IdleConnections().hold({ port, streams: 1 }), { code: 'ECONNREFUSED' })
})

test('exchange counts replies over all clients', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using running = await target('echo')
  const { port } = running
  assert.ok((await exchange({ ...SPAN, port, clients: 16 })) > 16)
})

test('exchange waits for a whole reply before it asks again', LIMIT, async (t) => {
  assertNoLeaks(t)
  let requests = 0
  await using running = await server((socket) =>
    socket.on('data', () => {
      requests += 1
      socket.write(Buffer.alloc(63)) // one byte less than a reply
    }),
  )
  await assert.rejects(exchange({ ...SPAN, port: running.port, clients: 1 }), /nothing came through/)
  assert.equal(requests, 1)
})

test('exchange fails when a client is cut off', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using running = await server((socket) => socket.once('data', () => socket.resetAndDestroy()))
  await assert.rejects(exchange({ rampMs: 5_000, countMs: 50, port: running.port, clients: 4 }), { code: 'ECONNRESET' })
})

test('reconnect opens, uses and closes connections one after the other', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using running = await target('echo')
  const { port } = running
  assert.ok((await reconnect({ ...SPAN, port, concurrency: 4 })) > 10)
})

test('reconnect fails on a reply that is cut short', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using running = await server((socket) => socket.end('short'))
  await assert.rejects(reconnect({ ...SPAN, port: running.port, concurrency: 1 }), /reply of 5 bytes, expected 64/)
})

test('idle connections are open and used when hold() returns, and gone after release()', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using running = await target('echo')
  const { port } = running
  const idle = new IdleConnections()
  assert.equal(await idle.hold({ port, streams: 1 }), 1)
  assert.equal(await idle.hold({ port, streams: 120 }), 121)
  await idle.release()
  assert.equal(await idle.hold({ port, streams: 2 }), 2)
  await idle.release()
})

test('exchanges after silence go over any of the idle connections', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using running = await target('echo')
  const idle = new IdleConnections()
  await assert.rejects(idle.exchangeEach(1), /there are no connections/)
  await idle.hold({ port: running.port, streams: 7 })
  assert.ok((await idle.exchangeEach(20)) > 0)
  await idle.release()
})

test('an exchange on an idle connection that is cut off fails', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using running = await server((socket) => {
    socket.once('data', (request) => {
      socket.write(request)
      socket.once('data', () => socket.destroy())
    })
  })
  const idle = new IdleConnections()
  await idle.hold({ port: running.port, streams: 1 })
  await assert.rejects(idle.exchangeEach(2), /ended early|ECONNRESET|EPIPE/)
  await idle.release()
})

test('latency is the time of one exchange after the other', LIMIT, async (t) => {
  assertNoLeaks(t)
  let requests = 0
  await using running = await server((socket) => {
    socket.on('data', (request: Buffer) => {
      requests += 1
      setTimeout(() => socket.write(request), 5)
    })
  })
  assert.ok((await latency({ ...SPAN, port: running.port })) >= 4_000) // microseconds; timers may be a little early
  assert.ok(requests > 1)
})

test('latency fails when its connection is cut off, and when nothing comes back', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using cutting = await server((socket) => socket.once('data', () => socket.resetAndDestroy()))
  await assert.rejects(latency({ rampMs: 5_000, countMs: 50, port: cutting.port }), { code: 'ECONNRESET' })
  await using silent = await server(() => {})
  await assert.rejects(latency({ ...SPAN, port: silent.port }), /nothing came through/)
})

test('a stalled connection takes what fits into buffers and no more', LIMIT, async (t) => {
  assertNoLeaks(t)
  const full = Promise.withResolvers<void>()
  await using running = await server((socket) => {
    const fill = (): void => {
      if (socket.write(Buffer.alloc(1_000_000))) setImmediate(fill)
      else full.resolve()
    }
    fill()
  })
  const stalled = new StalledConnection()
  await stalled.open(running.port)
  await full.promise
  await stalled.close()
})

test('a stalled connection that ended by itself held nothing up, which is an error', LIMIT, async (t) => {
  assertNoLeaks(t)
  let cut = (): void => {}
  await using running = await server((socket) => {
    socket.write('some')
    cut = () => socket.resetAndDestroy()
  })
  const stalled = new StalledConnection()
  await stalled.open(running.port)
  cut()
  while (process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length > 0) {
    await new Promise(setImmediate)
  }
  await assert.rejects(stalled.close(), /ended early/)
  await assert.rejects(stalled.close(), /ended early/) // as does one that was never opened
})

test('http counts answers, and probe wants a 200', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using running = await target('http')
  const url = `http://${LOOPBACK}:${running.port}/`
  await probe(url)
  assert.ok((await http({ ...SPAN, url, connections: 4 })) > 4)
})

test('http fails on any status but 200, with the body that explains it', LIMIT, async (t) => {
  assertNoLeaks(t)
  const answer = 'HTTP/1.1 500 Oops\r\nContent-Length: 6\r\n\r\nbroken'
  await using running = await server((socket) => socket.on('data', () => socket.write(answer)))
  const url = `http://${LOOPBACK}:${running.port}/`
  await assert.rejects(probe(url), /status 500: broken/)
  await assert.rejects(http({ ...SPAN, url, connections: 2 }), /status 500: broken/)
})

test('the http target answers requests that arrive in pieces, and several in one', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using running = await target('http')
  const { port } = running
  const socket = connect(port, LOOPBACK)
  let answers = ''
  const complete = new Promise<void>((resolve) => {
    socket.setEncoding('latin1').on('data', (text: string) => {
      answers += text
      if (answers.split('hello from the private network').length === 4) resolve()
    })
  })
  const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
  for (const byte of request) {
    socket.write(byte)
    await new Promise(setImmediate)
  }
  socket.write(request + request)
  await complete
  socket.destroy()
  await once(socket, 'close')
})
