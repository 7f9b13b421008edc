import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import test from 'node:test'
import type { TestContext } from 'node:test'
import type { Probe } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { createTargetDialer } from './dial-target.ts'
import { NameResolver } from './name-resolver.ts'
import { askTarget } from './probe.ts'

const limits = { timeout: 20_000 }
const dial = createTargetDialer({ rules: () => undefined, resolver: new NameResolver() })

/** A target that does with each connection what the test says, and a probe for it. */
async function target(
  onConnection: (socket: Socket) => void,
): Promise<{ ask(t: TestContext, probe?: Partial<Probe>): Promise<void> } & AsyncDisposable> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    onConnection(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const standard: Probe = { type: 'http', host: '127.0.0.1', port, path: '/up', intervalMs: 1_000, timeoutMs: 5_000 }
  return {
    ask: (t, probe) => askTarget({ ...standard, ...probe }, dial, t.signal),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

test('a TCP probe is content with a connection, and closes it', limits, async (t) => {
  assertNoLeaks(t)
  const closed = Promise.withResolvers<void>()
  await using on = await target((socket) => socket.resume().once('close', () => closed.resolve()))
  await on.ask(t, { type: 'tcp' })
  await closed.promise
})

test('a port that nobody listens on fails with its code', limits, async (t) => {
  assertNoLeaks(t)
  await using on = await target(() => {})
  await assert.rejects(on.ask(t, { type: 'tcp', port: 1 }), { code: 'connection_refused' })
})

test('an HTTP probe asks for its path and wants 200 to 399, wherever the answer is cut', limits, async (t) => {
  assertNoLeaks(t)
  let request = ''
  let answer = ''
  await using on = await target((socket) => {
    socket.once('data', (chunk) => {
      request = String(chunk)
      let at = 0
      const next = (): void => void (at < answer.length && socket.write(answer.charAt(at++), next))
      next()
    })
  })
  for (const status of ['200 OK', '204', '302 Found', '399 x']) {
    answer = `HTTP/1.1 ${status}\r\n\r\n`
    await on.ask(t)
  }
  assert.match(request, /^GET \/up HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\nConnection: close\r\n/)
  for (const [text, code] of [
    ['HTTP/1.1 500 no\r\n', 'destination_unavailable'],
    ['HTTP/1.0 404 no\r\n', 'destination_unavailable'],
    ['-ERR unknown command\r\n', 'http_protocol_error'],
    ['HTTP/2 200\r\n', 'http_protocol_error'],
    ['x'.repeat(2_000), 'http_protocol_error'],
  ] as const) {
    answer = text
    await assert.rejects(on.ask(t), { code }, text.slice(0, 20))
  }
})

test('an answer that never comes, and one that is cut off, fail', limits, async (t) => {
  assertNoLeaks(t)
  await using silent = await target((socket) => socket.resume())
  await assert.rejects(silent.ask(t, { timeoutMs: 100 }), { code: 'connection_timeout' })
  await using rude = await target((socket) => socket.end())
  await assert.rejects(rude.ask(t), { code: 'http_protocol_error' })
})
