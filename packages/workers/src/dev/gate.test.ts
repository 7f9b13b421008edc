import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { HawserError } from '@hawser/core'
import type { HostPort } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { Gate } from './gate.ts'

const LIMIT = { timeout: 10_000 }
const ANY: HostPort = { host: '127.0.0.1', port: 0 }

/** Answers everything that is sent, once it has ended, behind its own name. */
async function inner(t: TestContext, name: string): Promise<HostPort & { readonly server: Server }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    void text(socket).then(
      (received) => socket.end(`${name}: ${received}`),
      () => {},
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.signal.addEventListener('abort', () => server.close())
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, server }
}

function client(gate: Gate): Socket {
  const socket = connect({ ...gate.address })
  socket.on('error', () => {})
  return socket
}

/** However it ends. Only who reads notices an end. */
function ended(socket: Socket): Promise<void> {
  socket.resume()
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

async function ask(gate: Gate, question: string): Promise<string> {
  const socket = client(gate)
  socket.end(question)
  return text(socket)
}

test('passes bytes and ends on to whoever is behind', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using gate = await Gate.open(ANY)
  const one = await inner(t, 'one')
  await using _one = one.server
  gate.pass(one)
  assert.equal(await ask(gate, 'hello'), 'one: hello')
})

test('connections wait while nobody is behind, and then go to the new one', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using gate = await Gate.open(ANY)
  const one = await inner(t, 'one')
  await using _one = one.server
  const two = await inner(t, 'two')
  await using _two = two.server
  gate.pass(one)
  gate.hold()
  const waiting = ['a', 'b', 'c'].map((question) => ask(gate, question))
  await new Promise((resolve) => setImmediate(resolve))
  gate.pass(two)
  assert.deepEqual(await Promise.all(waiting), ['two: a', 'two: b', 'two: c'])
})

test('answers with what went wrong, in plain words', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using gate = await Gate.open(ANY)
  const early = ask(gate, 'GET / HTTP/1.1\r\n\r\n')
  gate.refuse('src/a.ts:1:1: Ünexpected')
  for (const answer of [await early, await ask(gate, 'GET / HTTP/1.1\r\n\r\n')]) {
    assert.match(answer, /^HTTP\/1\.1 503 /)
    assert.match(answer, /Content-Length: 26\r\n/)
    assert.ok(answer.endsWith('\r\n\r\nsrc/a.ts:1:1: Ünexpected\n'))
  }
})

test('closing ends connections that wait and those under way', LIMIT, async (t) => {
  assertNoLeaks(t)
  const gate = await Gate.open(ANY)
  const one = await inner(t, 'one')
  await using _one = one.server
  const waiting = client(gate)
  await once(waiting, 'connect')
  gate.pass(one)
  const running = client(gate)
  await once(running, 'connect')
  const closed = [ended(waiting), ended(running)]
  await gate.close()
  await gate.close()
  await Promise.all(closed)
})

test('whoever is behind and dies takes its connections along, and no others', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using gate = await Gate.open(ANY)
  const server = createServer((socket) => socket.resetAndDestroy())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  await using _server = server
  gate.pass({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  await ended(client(gate))
  const one = await inner(t, 'one')
  await using _one = one.server
  gate.pass(one)
  assert.equal(await ask(gate, 'x'), 'one: x')
})

test('an address that is taken is named', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using gate = await Gate.open(ANY)
  await assert.rejects(Gate.open(gate.address), (error) => {
    assert.ok(HawserError.is(error, 'listen_failed'))
    assert.equal(error.message, `127.0.0.1:${gate.address.port}: address already in use`)
    return true
  })
})

test('every request is told of: answered, given up, cut off, refused', LIMIT, async (t) => {
  assertNoLeaks(t)
  const told: string[] = []
  const { promise: fourth, resolve } = Promise.withResolvers<void>()
  await using gate = await Gate.open(ANY, ({ method, path, status, outcome }) => {
    told.push(`${method} ${path} ${status ?? '-'} ${outcome}`)
    if (told.length === 4) resolve()
  })
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => {
      if (data.includes('/answer')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      if (data.includes('/cut')) socket.resetAndDestroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  await using _server = server
  gate.pass({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })

  const first = client(gate)
  first.write('GET /answer HTTP/1.1\r\n\r\n')
  await once(first, 'data')
  first.write('GET /cut HTTP/1.1\r\n\r\n')
  await ended(first)
  const second = client(gate)
  second.write('GET /answer HTTP/1.1\r\n\r\nGET /given-up HTTP/1.1\r\n\r\n')
  await once(second, 'data')
  second.destroy()
  await once(second, 'close')
  await fourth
  const last = client(gate)
  last.write('GET /answer HTTP/1.1\r\n\r\nGET /open HTTP/1.1\r\n\r\n')
  await once(last, 'data')
  gate.refuse('src/index.ts:1:1: no')
  assert.match(await ask(gate, 'GET /refused HTTP/1.1\r\n\r\n'), /src\/index\.ts:1:1: no/)
  assert.deepEqual(told, [
    'GET /answer 200 ok',
    'GET /cut - error',
    'GET /answer 200 ok',
    'GET /given-up - aborted',
    'GET /answer 200 ok',
    'GET /refused 503 ok',
  ])
  await gate.close()
  assert.equal(told.at(-1), 'GET /open - error')
})
