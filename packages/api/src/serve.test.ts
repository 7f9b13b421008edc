import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { API_BASE } from './app.ts'
import { apiFixture, codeOf, taken } from './fixture.ts'
import type { Fixture } from './fixture.ts'
import { serveApi } from './serve.ts'
import type { ServedApi } from './serve.ts'

/** The API, with its log at hand and a check that nothing stays open. */
function fixtureFor(t: TestContext): Promise<Fixture<CapturedLog>> {
  assertNoLeaks(t)
  return apiFixture(t, new CapturedLog())
}

const listen = { host: '127.0.0.1', port: 0 }

interface Served extends Fixture<CapturedLog> {
  readonly api: ServedApi
  readonly origin: string
}

/** Closes the listener before the leak check looks, which hooks of the test would not. */
async function withServed(t: TestContext, body: (served: Served) => Promise<void>): Promise<void> {
  const fixture = await fixtureFor(t)
  await using api = await serveApi({ app: fixture.app, listen, logger: fixture.log })
  await body({ ...fixture, api, origin: `http://${api.address.host}:${api.address.port}` })
}

/** Sends bytes, ends, and gives what came back until the end. A reset counts as nothing more. */
async function exchange({ address }: ServedApi, bytes: string | Buffer): Promise<string> {
  const socket = connect(address)
  socket.on('error', () => {})
  socket.end(bytes)
  return text(socket).catch(() => '')
}

test('real requests reach the API, and are answered', { timeout: 20_000 }, async (t) => {
  await withServed(t, async ({ origin, token, account }) => {
    const headers = { authorization: `Bearer ${token}`, connection: 'close' }
    const url = `${origin}${API_BASE}${account}/cfd_tunnel`
    const created = await taken(await fetch(url, { method: 'POST', headers, body: JSON.stringify({ name: 'lab' }) }))
    assert.equal(created.status, 200)
    const listed = await taken(await fetch(url, { headers }))
    assert.deepEqual(listed.body.result, [created.body.result])
    assert.equal(codeOf(await taken(await fetch(url, { headers: { connection: 'close' } }))), '401/9106')
    const tooLong = await taken(await fetch(url, { method: 'POST', headers, body: 'x'.repeat(100_000) }))
    assert.equal(codeOf(tooLong), '413/10413')
  })
})

test('a request split at every byte is still one request', { timeout: 20_000 }, async (t) => {
  await withServed(t, async ({ api, token }) => {
    const socket = connect(api.address)
    socket.setNoDelay(true)
    const answered = text(socket)
    const lines = [
      `GET ${API_BASE}/accounts HTTP/1.1`,
      'host: x',
      `authorization: Bearer ${token}`,
      'connection: close',
    ]
    for (const byte of Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)) {
      socket.write(Buffer.of(byte))
      await new Promise(setImmediate)
    }
    assert.match(await answered, /^HTTP\/1\.1 200 OK\r\n/)
  })
})

test('garbage is refused once, logged once, and nothing of it comes back', { timeout: 20_000 }, async (t) => {
  await withServed(t, async ({ api, log }) => {
    const garbage = [
      'hello hunter2\r\n\r\n',
      '\u0016\u0003\u0001\u0002\u0000hunter2 is a TLS hello',
      'GET / HTTP/9.9 hunter2\r\n\r\n',
      'GET / HTTP/1.1\r\nhost: a\r\nbad header hunter2\r\n\r\n',
      'GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\nhunter2',
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${'hunter2'.repeat(10_000)}\r\n\r\n`,
      Buffer.concat([Buffer.of(0), randomBytes(4_096)]),
    ]
    for (const [at, bytes] of garbage.entries()) {
      const answered = await exchange(api, bytes)
      assert.match(answered, /^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/json\r\n/)
      assert.equal(answered.split('HTTP/1.1').length, 2, 'more than one answer')
      assert.match(answered, /\{"success":false,"errors":\[\{"code":10400,/)
      assert.equal(answered.includes('hunter2'), false)
      assert.equal(log.lines.length, at + 1)
    }
    assert.equal(JSON.stringify(log.lines).includes('hunter2'), false)
    assert.deepEqual(new Set(log.lines.map(({ level }) => level)), new Set(['warn']))
  })
})

test('requests that are HTTP but nothing we serve are answered in the envelope', { timeout: 20_000 }, async (t) => {
  await withServed(t, async ({ api, log }) => {
    const status = async (request: string): Promise<string> => (await exchange(api, request)).slice(9, 12)
    assert.equal(await status('GET http://elsewhere.example/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'), '404')
    assert.equal(await status('GET /\\ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'), '400')
    assert.equal(await status('GET / HTTP/1.1\r\nhost: a b/c\r\nconnection: close\r\n\r\n'), '400')
    assert.equal(await status('GET * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'), '400')
    const upgrade = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n'
    assert.equal(await status(upgrade), '404')
    assert.equal(await exchange(api, 'CONNECT 10.0.0.1:80 HTTP/1.1\r\nhost: a\r\n\r\n'), '')
    assert.deepEqual(log.lines, [])
  })
})

test('a peer that comes and goes without a word leaves no trace', { timeout: 20_000 }, async (t) => {
  await withServed(t, async ({ api, log }) => {
    assert.equal(await exchange(api, ''), '')
    const socket = connect(api.address)
    await once(socket, 'connect')
    socket.resetAndDestroy()
    await once(socket, 'close')
    assert.equal(await exchange(api, ''), '')
    assert.deepEqual(log.lines, [])
  })
})

test('an address in use is reported with the option and the address', async (t) => {
  const { app } = await fixtureFor(t)
  await using taker = createServer()
  await once(taker.listen(0, '127.0.0.1'), 'listening')
  const { port } = taker.address() as AddressInfo
  await assert.rejects(serveApi({ app, listen: { host: '127.0.0.1', port }, logger: new CapturedLog() }), {
    code: 'listen_failed',
    message: new RegExp(`^--api 127\\.0\\.0\\.1:${port} cannot be listened on: .*EADDRINUSE`),
  })
  await assert.rejects(serveApi({ app, listen: { host: '203.0.113.1', port: 0 }, logger: new CapturedLog() }), {
    code: 'listen_failed',
    message: /^--api 203\.0\.113\.1:0 /,
  })
})

test(
  'closing lets a request under way finish, takes no new ones, and may be asked for twice',
  { timeout: 20_000 },
  async (t) => {
    const { log } = await fixtureFor(t)
    const entered = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const app = {
      async fetch(): Promise<Response> {
        entered.resolve()
        await release.promise
        return new Response('done')
      },
    }
    const api = await serveApi({ app, listen, logger: log })
    const answered = exchangeOpen(api, 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    await entered.promise
    const closing = Promise.all([api.close(), api.close(), api[Symbol.asyncDispose]()])
    const late = connect(api.address)
    const [error] = (await once(late, 'error')) as [Error & { code: string }]
    assert.equal(error.code, 'ECONNREFUSED')
    release.resolve()
    assert.match(await answered.text, /^HTTP\/1\.1 200 OK[^]*done$/)
    await closing
  },
)

test('closing cuts a request that does not finish', { timeout: 20_000 }, async (t) => {
  const { log } = await fixtureFor(t)
  const entered = Promise.withResolvers<void>()
  const app = {
    fetch(): Promise<Response> {
      entered.resolve()
      return new Promise(() => {})
    },
  }
  const api = await serveApi({ app, listen, logger: log })
  const answered = exchangeOpen(api, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  await entered.promise
  await api.close()
  assert.equal(await answered.text, '')
})

/** Like `exchange`, with the writing side left open. */
function exchangeOpen({ address }: ServedApi, bytes: string): { socket: Socket; text: Promise<string> } {
  const socket = connect(address)
  socket.on('error', () => {})
  socket.write(bytes)
  return { socket, text: text(socket).catch(() => '') }
}
