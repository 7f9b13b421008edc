import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import type { HawserError } from '@hawser/core'
import { assertNoLeaks, tcpPair } from '@hawser/testkit'
import fc from 'fast-check'
import { ClientConnection } from './client-connection.ts'
import type { ClientLimits, RequestSink } from './client-connection.ts'
import type { RequestHead } from './head.ts'

const LIMITS: ClientLimits = { maxHeadBytes: 1_000, headTimeoutMs: 5_000 }
const TIMEOUT = { timeout: 20_000 }

interface Seen {
  readonly method: string
  readonly target: string
  body: string
  ended: boolean
}

/** A connection whose requests are written down and answered with their number as soon as they are complete. */
class Listening implements AsyncDisposable {
  readonly seen: Seen[] = []
  readonly refused: HawserError[] = []
  readonly gone: HawserError[] = []
  readonly connects: { authority: string; early: string }[] = []
  readonly client: Socket
  readonly connection: ClientConnection
  /** Whether requests are answered by themselves. */
  answers = true
  readonly #server: Socket

  private constructor(client: Socket, server: Socket) {
    this.client = client
    this.#server = server
    client.on('error', () => {})
    this.connection = new ClientConnection(
      server,
      {
        onRequest: (_client, head) => this.#sinkFor(head),
        onConnect: (authority, socket, early) => {
          this.connects.push({ authority, early: early?.toString() ?? '' })
          socket.end('connected')
        },
        onRefused: (reason) => void this.refused.push(reason),
      },
      LIMITS,
    )
  }

  static async open(): Promise<Listening> {
    return new Listening(...(await tcpPair()))
  }

  #sinkFor(head: RequestHead): RequestSink {
    const seen: Seen = { method: head.method, target: head.target, body: '', ended: false }
    this.seen.push(seen)
    const number = this.seen.length
    let started = false
    const answer = (): void => {
      if (!started || !seen.ended || !this.answers) return
      this.connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${String(number).length}\r\n\r\n${number}`)
      this.connection.release()
    }
    return {
      start: () => {
        assert.equal(started, false)
        started = true
        answer()
      },
      onRequestPayload: (payload) => void (seen.body += payload.toString('latin1')),
      onRequestEnd: () => {
        seen.ended = true
        answer()
      },
      onClientGone: (reason) => void this.gone.push(reason),
      onClientDrain: () => {},
    }
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise(setImmediate)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.destroy()
    if (!this.#server.closed) await new Promise((resolve) => this.#server.once('close', resolve))
  }
}

test(
  'client connection: several requests come out the same wherever their bytes are cut',
  { timeout: 60_000 },
  async (t) => {
    assertNoLeaks(t)
    const wire = Buffer.from(
      'GET http://a/1 HTTP/1.1\r\nX: y\r\n\r\n' +
        'POST http://a/2 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello' +
        'PUT http://a/3 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n' +
        'HEAD http://a/4 HTTP/1.1\r\n\r\n',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: wire.length - 1 }), { maxLength: 8 }), async (cuts) => {
        await using listening = await Listening.open()
        const points = [0, ...new Set(cuts.toSorted((a, b) => a - b)), wire.length]
        for (let at = 1; at < points.length; at += 1) {
          listening.client.write(wire.subarray(points[at - 1], points[at]))
          await new Promise(setImmediate)
        }
        await listening.until(() => listening.seen.length === 4 && listening.seen[3]?.ended === true)
        assert.deepEqual(
          listening.seen.map(({ method, target, body }) => [method, target, body]),
          [
            ['GET', 'http://a/1', ''],
            ['POST', 'http://a/2', 'hello'],
            ['PUT', 'http://a/3', 'abcde'],
            ['HEAD', 'http://a/4', ''],
          ],
        )
        assert.deepEqual(listening.refused, [])
      }),
      { numRuns: 40 },
    )
  },
)

test('client connection: a second request waits until the first is answered', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using listening = await Listening.open()
  listening.answers = false
  listening.client.write('GET http://a/1 HTTP/1.1\r\n\r\nGET http://a/2 HTTP/1.1\r\n\r\n')
  await listening.until(() => listening.seen.length > 0)
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
  assert.equal(listening.seen.length, 1)
  listening.connection.release()
  await listening.until(() => listening.seen.length === 2)
})

test(
  'client connection: what is left of a body after the answer is dropped, and the next request is read',
  TIMEOUT,
  async (t) => {
    assertNoLeaks(t)
    await using listening = await Listening.open()
    listening.answers = false
    listening.client.write('POST http://a/1 HTTP/1.1\r\nContent-Length: 10\r\n\r\nhello')
    await listening.until(() => listening.seen[0]?.body === 'hello')
    listening.connection.release()
    listening.client.write('worldGET http://a/2 HTTP/1.1\r\n\r\n')
    await listening.until(() => listening.seen.length === 2)
    assert.deepEqual([listening.seen[0]?.body, listening.seen[1]?.target], ['hello', 'http://a/2'])
  },
)

test('client connection: CONNECT hands the socket over with what came along', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using listening = await Listening.open()
  listening.client.write('CONNECT db:5432 HTTP/1.1\r\n\r\nearly')
  assert.equal((await once(listening.client, 'data')).toString(), 'connected')
  assert.deepEqual(listening.connects, [{ authority: 'db:5432', early: 'early' }])
})

test('client connection: a Worker that goes is told of once, and only while a request runs', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using busy = await Listening.open()
  busy.answers = false
  busy.client.write('GET http://a/1 HTTP/1.1\r\n\r\n')
  await busy.until(() => busy.seen.length === 1)
  busy.client.destroy()
  await busy.until(() => busy.gone.length > 0)
  assert.deepEqual(
    busy.gone.map((reason) => reason.code),
    ['connection_aborted'],
  )
  await using idle = await Listening.open()
  idle.client.end()
  await once(idle.client.resume(), 'end')
  assert.deepEqual([idle.gone, idle.refused], [[], []])
})

test(
  'client connection: asked to close, an idle one closes at once and a busy one after its answer',
  TIMEOUT,
  async (t) => {
    assertNoLeaks(t)
    await using idle = await Listening.open()
    idle.connection.closeAfterCall()
    await once(idle.client.resume(), 'end')
    await using busy = await Listening.open()
    busy.answers = false
    busy.client.write('GET http://a/1 HTTP/1.1\r\n\r\n')
    await busy.until(() => busy.seen.length === 1)
    busy.connection.closeAfterCall()
    assert.equal(busy.connection.busy, true)
    busy.connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    busy.connection.release()
    let seen = ''
    for await (const chunk of busy.client) seen += String(chunk)
    assert.match(seen, /^HTTP\/1.1 200/)
  },
)
