import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { TestSite } from '../test-site.ts'

const URL_BASE = 'http://api.internal:8080'
const TIMEOUT = { timeout: 20_000 }

async function siteWith(listener: RequestListener): Promise<TestSite> {
  const site = await TestSite.open()
  await site.attach('api.internal:8080', createServer({ keepAliveTimeout: 60_000 }, listener))
  return site
}

/** Writes `answer` to each request of each connection, as it stands, then does `after`. */
async function rawSite(answer: string | Buffer, after: (socket: Socket) => void = () => {}): Promise<TestSite> {
  const site = await TestSite.open()
  await site.serve('api.internal:8080', (socket) => {
    socket.on('data', () => {
      socket.write(answer)
      after(socket)
    })
  })
  return site
}

const echo: RequestListener = (incoming, outgoing) => {
  void pipeline(incoming, outgoing).catch(() => {})
}

/** Once a socket has closed, however. */
function gone(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

test('forwarding: method, path, query, fields and Host travel as they were; nothing is added', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  const seen = Promise.withResolvers<string>()
  await site.serve('api.internal:8080', (socket) => {
    socket.once('data', (chunk: Buffer) => {
      seen.resolve(chunk.toString('latin1'))
      socket.write('HTTP/1.1 200 OK\r\nX-A: 1\r\nhawser-error: dns_error\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  const socket = await site.knock('unix')
  socket.write('PATCH http://api.internal:8080/a/b?c=d%20e HTTP/1.1\r\nx-one: 1\r\nHawser-X: no\r\nX-Two: 2\r\n\r\n')
  assert.equal(
    await seen.promise,
    'PATCH /a/b?c=d%20e HTTP/1.1\r\nHost: api.internal:8080\r\nx-one: 1\r\nX-Two: 2\r\n\r\n',
  )
  const [answer] = await once(socket, 'data')
  assert.equal(answer.toString(), 'HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nok')
  const [flow] = await site.flowsEnded(1)
  assert.equal(flow?.outcome, 'ok')
  assert.deepEqual(flow?.http, { method: 'PATCH', path: '/a/b', status: 200 })
  assert.equal(flow?.bytesReceived, 2)
  assert.deepEqual(flow?.route?.connectorId, 'connector-1')
})

for (const size of [0, 1, 65_536, 3_000_001]) {
  for (const framing of ['length', 'chunked'] as const) {
    test(`forwarding: ${size} bytes with ${framing} framing come back as they went`, TIMEOUT, async (t) => {
      assertNoLeaks(t)
      await using site = await siteWith((incoming, outgoing) => {
        const length = incoming.headers['content-length']
        if (length !== undefined) outgoing.setHeader('content-length', length)
        echo(incoming, outgoing)
      })
      const body = randomBytes(size)
      const headers: Record<string, string> =
        framing === 'length' ? { 'content-length': String(size) } : { 'transfer-encoding': 'chunked' }
      const reply = await site.fetch('POST', `${URL_BASE}/echo`, headers, body)
      assert.equal(reply.status, 200)
      assert.equal(digest(reply.body), digest(body))
      const [flow] = await site.flowsEnded(1)
      assert.deepEqual([flow?.outcome, flow?.bytesSent, flow?.bytesReceived], ['ok', size, size])
    })
  }
}

test('forwarding: 50 MB stream through both ways without being held', { timeout: 60_000 }, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith(echo)
  const size = 50 * 1024 * 1024
  const block = randomBytes(65_536)
  const sent = createHash('sha256')
  const received = createHash('sha256')
  let made = 0
  let seen = 0
  let most = 0 // bytes somewhere between the two ends of the Worker
  const source = new Readable({
    read() {
      const part = block.subarray(0, Math.min(size - made, block.length))
      made += part.length
      most = Math.max(most, made - seen)
      sent.update(part)
      this.push(part)
      if (made === size) this.push(null)
    },
  })
  const socketPath = site.binding.fetchSocket
  const outgoing = request({ socketPath, method: 'PUT', path: `${URL_BASE}/`, setHost: false })
  const uploaded = pipeline(source, outgoing)
  const [incoming] = await once(outgoing, 'response')
  for await (const chunk of incoming) {
    seen += chunk.length
    received.update(chunk)
  }
  await uploaded
  assert.equal(received.digest('hex'), sent.digest('hex'))
  // Eight buffers of the system lie on the way, some megabytes each; the edge's own are 64 KiB.
  assert.ok(most < size / 2, `${most} bytes on the way at once`)
})

test(
  'forwarding: a Worker that does not read stops the target, and nothing piles up between them',
  TIMEOUT,
  async (t) => {
    assertNoLeaks(t)
    const total = 40 * 1024 * 1024
    let written = 0
    const stalled = Promise.withResolvers<void>()
    await using site = await TestSite.open()
    await site.serve('api.internal:8080', (socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`)
        const block = Buffer.alloc(65_536)
        const more = (): void => {
          while (written < total) {
            written += block.length
            if (!socket.write(block)) break
          }
          // No drain for as long as it takes to write the rest many times over.
          const seen = written
          setTimeout(() => (written === seen ? stalled.resolve() : undefined), 500).unref()
        }
        socket.on('drain', more)
        more()
      })
    })
    const socket = await site.knock('unix')
    socket.pause()
    socket.write(`GET ${URL_BASE}/ HTTP/1.1\r\n\r\n`)
    await stalled.promise
    assert.ok(written < total / 2, `${written} bytes left the target`)
    const flow = [...site.binding.open][0]?.flow
    assert.ok(flow !== undefined && flow.bytesReceived <= written)
    let got = 0
    for await (const chunk of socket) {
      got += chunk.length
      if (got > total) break
    }
    const [done] = await site.flowsEnded(1)
    assert.equal(done?.bytesReceived, total)
  },
)

test('forwarding: a target that does not read stops the Worker', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  const accepted = Promise.withResolvers<Socket>()
  await site.serve('api.internal:8080', (socket) => {
    socket.pause()
    accepted.resolve(socket)
  })
  const socket = await site.knock('unix')
  const total = 40 * 1024 * 1024
  socket.write(`PUT ${URL_BASE}/ HTTP/1.1\r\nContent-Length: ${total}\r\n\r\n`)
  let written = 0
  const stalled = Promise.withResolvers<void>()
  const block = Buffer.alloc(65_536)
  const more = (): void => {
    while (written < total) {
      written += block.length
      if (!socket.write(block)) break
    }
    const seen = written
    setTimeout(() => (written === seen ? stalled.resolve() : undefined), 500).unref()
  }
  socket.on('drain', more)
  more()
  await stalled.promise
  assert.ok(written < total / 2, `${written} bytes left the Worker`)
  const target = await accepted.promise
  target.on('data', () => {})
  target.resume()
  while (written < total) await once(socket, 'drain')
  target.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  const [flow] = await site.flowsEnded(1)
  assert.deepEqual([flow?.outcome, flow?.bytesSent], ['ok', total])
})

const answers: readonly [name: string, method: string, answer: string, status: number, body: string][] = [
  ['HEAD with a length', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 200, ''],
  ['204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n', 204, ''],
  ['304 with a length', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', 304, ''],
  [
    'an interim answer first',
    'GET',
    'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    200,
    'ok',
  ],
  [
    'chunks with extensions and trailers',
    'GET',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n2;a=b\r\nok\r\n0\r\nX: y\r\n\r\n',
    200,
    'ok',
  ],
  ['an error status', 'GET', 'HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno', 500, 'no'],
  [
    'both framings',
    'GET',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    200,
    'ok',
  ],
]
for (const [name, method, answer, status, body] of answers) {
  test(`forwarding: ${name}`, TIMEOUT, async (t) => {
    assertNoLeaks(t)
    await using site = await rawSite(answer)
    // Twice over one connection: the framing told to the Worker must be right to the byte.
    for (let time = 0; time < 2; time += 1) {
      const reply = await site.fetch(method, `${URL_BASE}/`)
      assert.deepEqual([reply.status, reply.body.toString()], [status, body])
    }
  })
}

test('forwarding: a body that ends with its connection is told complete from cut short', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using whole = await rawSite('HTTP/1.0 200 OK\r\n\r\nhello', (socket) => socket.end())
  assert.equal((await whole.fetch('GET', `${URL_BASE}/`)).body.toString(), 'hello')
  await using cut = await rawSite('HTTP/1.0 200 OK\r\n\r\nhello', (socket) =>
    setImmediate(() => socket.resetAndDestroy()),
  )
  await assert.rejects(cut.fetch('GET', `${URL_BASE}/`))
})

const truncated: readonly [name: string, answer: string][] = [
  ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'],
  ['chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
  ['chunked, inside a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello'],
]
for (const [name, answer] of truncated) {
  test(`forwarding: a body with ${name} that is cut short fails in the Worker`, TIMEOUT, async (t) => {
    assertNoLeaks(t)
    await using site = await rawSite(answer, (socket) => socket.end())
    await assert.rejects(site.fetch('GET', `${URL_BASE}/`), { code: 'ECONNRESET' })
    const [flow] = await site.flowsEnded(1)
    assert.equal(flow?.error?.code, 'http_response_incomplete')
    assert.equal(flow?.error?.step, 'relay')
    assert.equal(site.binding.pool.size, 0)
  })
}

const garbage: readonly [name: string, answer: string, code: string][] = [
  ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n\r\n', 'http_protocol_error'],
  ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\r\n\r\n', 'http_protocol_error'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 'http_protocol_error'],
  ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nab', 'http_protocol_error'],
  ['a switch nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', 'http_protocol_error'],
  ['a head without end', 'HTTP/1.1 200 OK\r\nX: ' + 'a'.repeat(140_000), 'http_protocol_error'],
]
for (const [name, answer, code] of garbage) {
  test(`forwarding: ${name} from the target is ${code}`, TIMEOUT, async (t) => {
    assertNoLeaks(t)
    await using site = await rawSite(answer)
    const reply = await site.fetch('GET', `${URL_BASE}/`)
    assert.equal(reply.status, 502)
    assert.equal(reply.headers['hawser-error'], code)
    const told = JSON.parse(reply.body.toString())
    const [flow] = await site.flowsEnded(1)
    assert.deepEqual([told.code, told.flow], [code, flow?.id])
  })
}

test('forwarding: broken chunks inside a body fail it in the Worker', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await rawSite('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nxx\r\n')
  await assert.rejects(site.fetch('GET', `${URL_BASE}/`), { code: 'ECONNRESET' })
  const [flow] = await site.flowsEnded(1)
  assert.equal(flow?.error?.code, 'http_protocol_error')
})

test('forwarding: a target that closes without an answer is connection_terminated', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await rawSite('', (socket) => socket.end())
  assert.equal((await site.fetch('GET', `${URL_BASE}/`)).headers['hawser-error'], 'connection_terminated')
  await using half = await rawSite('HTTP/1.1 200 O', (socket) => socket.end())
  assert.equal((await half.fetch('GET', `${URL_BASE}/`)).headers['hawser-error'], 'http_response_incomplete')
})

test('forwarding: bytes behind an answer are dropped with their connection', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  let connections = 0
  await using site = await TestSite.open()
  await site.serve('api.internal:8080', (socket) => {
    connections += 1
    socket.on('data', () =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'),
    )
  })
  for (let time = 0; time < 2; time += 1) assert.equal((await site.fetch('GET', `${URL_BASE}/`)).body.toString(), 'ok')
  assert.equal(connections, 2)
})

test('forwarding: an answer that comes unasked on an idle connection ends it', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  const sockets: Socket[] = []
  await site.serve('api.internal:8080', (socket) => {
    sockets.push(socket)
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
    socket.on('end', () => socket.end())
  })
  await site.fetch('GET', `${URL_BASE}/`)
  assert.equal(site.binding.pool.size, 1)
  sockets[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil')
  await gone(sockets[0] as Socket)
  assert.equal(site.binding.pool.size, 0)
  assert.equal((await site.fetch('GET', `${URL_BASE}/`)).body.toString(), 'ok')
})

test('forwarding: pipelined requests are answered in order, one after the other', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  let running = 0
  await using site = await siteWith((incoming, outgoing) => {
    running += 1
    assert.equal(running, 1)
    setImmediate(() => {
      running -= 1
      outgoing.end(incoming.url)
    })
  })
  const socket = await site.knock('unix')
  const one = (path: string): string => `GET ${URL_BASE}${path} HTTP/1.1\r\n\r\n`
  socket.write(one('/1') + `POST ${URL_BASE}/2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc` + one('/3'))
  let seen = ''
  for await (const chunk of socket) {
    seen += chunk.toString()
    if (/\/1[^]*\/2[^]*\/3/.test(seen)) break
  }
  assert.equal((await site.flowsEnded(3)).length, 3)
})

test('forwarding: a Worker that goes away cancels the request at the target', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  const accepted = Promise.withResolvers<Socket>()
  await site.serve('api.internal:8080', (socket) => socket.once('data', () => accepted.resolve(socket)))
  const socket = await site.knock('unix')
  socket.write(`GET ${URL_BASE}/ HTTP/1.1\r\n\r\n`)
  const target = await accepted.promise
  target.resume()
  const closed = gone(target)
  socket.destroy()
  await closed
  const [flow] = await site.flowsEnded(1)
  assert.deepEqual([flow?.outcome, flow?.error?.code], ['aborted', 'connection_aborted'])
})

test('forwarding: a Worker that goes away in the middle of an answer stops it', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  const accepted = Promise.withResolvers<Socket>()
  await site.serve('api.internal:8080', (socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nstart')
      accepted.resolve(socket)
    })
  })
  const socket = await site.knock('unix')
  socket.write(`GET ${URL_BASE}/ HTTP/1.1\r\n\r\n`)
  await once(socket, 'data')
  const closed = gone(await accepted.promise)
  socket.destroy()
  await closed
  assert.equal((await site.flowsEnded(1))[0]?.outcome, 'aborted')
})

test('forwarding: an answer may come and end while the request is still being sent', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const seen = Promise.withResolvers<Buffer>()
  await using site = await siteWith((incoming, outgoing) => {
    outgoing.end('early')
    seen.resolve(buffer(incoming))
  })
  const body = new PassThrough()
  const outgoing = request({
    socketPath: site.binding.fetchSocket,
    method: 'POST',
    path: `${URL_BASE}/`,
    setHost: false,
  })
  body.pipe(outgoing)
  body.write('one')
  const [incoming] = await once(outgoing, 'response')
  assert.equal(await text(incoming), 'early')
  body.end('two')
  assert.equal((await seen.promise).toString(), 'onetwo')
  const [flow] = await site.flowsEnded(1)
  assert.deepEqual([flow?.outcome, flow?.bytesSent], ['ok', 6])
})

test('forwarding: a target that answers early and closes still gets its answer through', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await rawSite(
    'HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig',
    (socket) => socket.end(),
  )
  const socket = await site.knock('unix')
  socket.write(`PUT ${URL_BASE}/ HTTP/1.1\r\nContent-Length: 300000\r\n\r\n`)
  socket.write(Buffer.alloc(100_000))
  const [answer] = await once(socket, 'data')
  assert.match(answer.toString(), /^HTTP\/1.1 413 Too Large\r\n[^]*big$/)
  assert.equal((await site.flowsEnded(1))[0]?.outcome, 'ok')
  // What is left of the request is read and dropped, and the connection serves on.
  socket.write(Buffer.alloc(200_000))
  socket.write(`GET ${URL_BASE}/ HTTP/1.1\r\n\r\n`)
  const [second] = await once(socket, 'data')
  assert.match(second.toString(), /^HTTP\/1.1 413/)
})

test('forwarding: a refused target is answered though the body is still coming', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  site.network.routes.set('api.internal:8080', 'connection_refused')
  const socket = await site.knock('unix')
  socket.write(`POST ${URL_BASE}/ HTTP/1.1\r\nContent-Length: 500000\r\n\r\n`)
  socket.write(Buffer.alloc(250_000))
  const [answer] = await once(socket, 'data')
  assert.match(answer.toString(), /^HTTP\/1.1 502 [^]*hawser-error: connection_refused/)
  socket.write(Buffer.alloc(250_000))
  socket.write('GET http://flows.hawser/x HTTP/1.1\r\n\r\n')
  const [second] = await once(socket, 'data')
  assert.match(second.toString(), /^HTTP\/1.1 404/)
})

test('forwarding: HEAD gets its error without a body', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  site.network.routes.set('api.internal:8080', 'connection_refused')
  const socket = await site.knock('unix')
  socket.write(`HEAD ${URL_BASE}/ HTTP/1.1\r\n\r\nGET http://flows.hawser/x HTTP/1.1\r\n\r\n`)
  let seen = ''
  for await (const chunk of socket) {
    seen += chunk.toString()
    if (seen.includes('404')) break
  }
  assert.match(seen, /^HTTP\/1.1 502 [^]*hawser-error: connection_refused\r\n[^]*\r\n\r\nHTTP\/1.1 404/)
})

test('forwarding: Expect: 100-continue works end to end', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await siteWith(echo)
  const outgoing = request({
    socketPath: site.binding.fetchSocket,
    method: 'PUT',
    path: `${URL_BASE}/`,
    setHost: false,
    headers: { expect: '100-continue', 'content-length': '5' },
  })
  outgoing.flushHeaders()
  await once(outgoing, 'continue')
  outgoing.end('hello')
  const [incoming] = await once(outgoing, 'response')
  assert.equal(await text(incoming), 'hello')
})
