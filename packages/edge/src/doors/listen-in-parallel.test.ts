import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { stopListening } from './listen.ts'
import { listenInParallel } from './listen-in-parallel.ts'
import type { Listening } from './listen-in-parallel.ts'

const LIMIT = { timeout: 10_000 } as const
const HOST = '127.0.0.1'
const CLIENTS = 64
const ON_LINUX = process.platform === 'linux'

const portOf = (server: Server): number => (server.address() as AddressInfo).port

/** Listens with `create`, and closes it all in the end. */
async function open(owned: AsyncDisposableStack, create: () => Server, port = 0): Promise<Listening> {
  const servers = await listenInParallel(create, { host: HOST, port }, 'the test')
  owned.defer(async () => void (await Promise.all(servers.map(stopListening))))
  return servers
}

test('several connections are accepted in one turn of the event loop', { ...LIMIT, skip: !ON_LINUX }, async (t) => {
  assertNoLeaks(t)
  await using owned = new AsyncDisposableStack()
  let turn = 0
  const perTurn = new Map<number, number>()
  const accepted = Promise.withResolvers<void>()
  let count = 0
  const onConnection = (socket: Socket): void => {
    socket.on('error', () => {}).resume()
    perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1)
    count += 1
    if (count === CLIENTS) accepted.resolve()
  }
  const servers = await open(owned, () => createServer(onConnection))
  const port = portOf(servers[0])
  assert.deepEqual(new Set(servers.map(portOf)), new Set([port]))
  // The kernel completes them while this process does something else: all wait in the queues before the first is accepted.
  const clients = Array.from({ length: CLIENTS }, () => connect({ host: HOST, port }))
  owned.defer(() => void clients.map((client) => client.destroy()))
  for (let done = false; !done; turn += 1) {
    done = await Promise.race([accepted.promise.then(() => true), new Promise<false>((go) => setImmediate(go, false))])
  }
  assert.ok(Math.max(...perTurn.values()) > 1, `of ${CLIENTS} no two in one turn`)
  assert.ok(perTurn.size < CLIENTS / 2)
})

test('each server takes what comes, whichever it comes to', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using owned = new AsyncDisposableStack()
  const servers = await open(owned, () => createServer((socket) => void socket.pipe(socket)))
  for (let index = 0; index < 20; index += 1) {
    const client = connect({ host: HOST, port: portOf(servers[0]) })
    client.end('hello')
    const [answer] = (await once(client, 'data')) as [Buffer]
    assert.equal(answer.toString(), 'hello')
    await once(client, 'close')
  }
})

test('an address in use is refused, also where whoever uses it would share it', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using owned = new AsyncDisposableStack()
  const servers = await open(owned, createServer)
  const port = portOf(servers[0])
  const error = await open(owned, createServer, port).catch((reason: unknown) => reason)
  assert.ok(HawserError.is(error))
  assert.equal(error.code, 'listen_failed')
  assert.match(error.message, /^the test: EADDRINUSE/)
})

test('once all have stopped the address is free', LIMIT, async (t) => {
  assertNoLeaks(t)
  let port = 0
  {
    await using owned = new AsyncDisposableStack()
    port = portOf((await open(owned, createServer))[0])
  }
  await using owned = new AsyncDisposableStack()
  assert.equal(portOf((await open(owned, createServer, port))[0]), port)
})
