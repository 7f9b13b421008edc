import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { text } from 'node:stream/consumers'
import { startStack } from './support/stack.ts'
import type { Stack } from './support/stack.ts'
import { httpTarget, tcpTarget } from './support/targets.ts'

describe('how a connection ends, from the Worker to the target and back', { timeout: 120_000 }, () => {
  let stack: Stack
  before(async () => {
    stack = await startStack()
  })
  after(() => stack[Symbol.asyncDispose]())

  test("the Worker's end reaches the target as a half-close, and the answer still comes back", async () => {
    await using target = await tcpTarget((socket) => {
      void text(socket).then((question) => socket.end(`answer to ${question}`))
    })
    const response = await stack.ask('/half-close', { target: target.address })
    assert.equal(await response.text(), 'answer to question')
  })

  test("the target's end reaches the Worker as a half-close, and what the Worker sends later still arrives", async () => {
    const heard = Promise.withResolvers<string>()
    await using target = await tcpTarget((socket) => {
      socket.end('goodbye')
      void text(socket).then(heard.resolve, heard.reject)
    })
    const response = await stack.ask('/late-write', { target: target.address })
    assert.deepEqual(await response.json(), { received: 'goodbye' })
    assert.equal(await heard.promise, 'after the end')
  })

  test('a reset at the target is an error in the Worker, after the bytes that came before it', async () => {
    await using target = await tcpTarget((socket) => {
      socket.write('hello')
      socket.once('data', () => socket.resetAndDestroy())
    })
    const seen = await (await stack.ask('/read-all', { target: target.address })).json()
    assert.deepEqual(seen, { failed: 'Error: Network connection lost.', bytes: 5 })
  })

  test('an ordinary end at the target is no error', async () => {
    await using target = await tcpTarget((socket) => void socket.resume().end('hello'))
    assert.deepEqual(await (await stack.ask('/read-all', { target: target.address })).json(), { ended: true, bytes: 5 })
  })

  test('a reply that is cut off is an error in the Worker, not a short body', async () => {
    await using target = await httpTarget((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('only this', () => response.socket?.resetAndDestroy())
    })
    const seen = (await (await stack.ask('/fetch-body', { target: `http://${target.address}/` })).json()) as {
      failed?: string
    }
    assert.match(seen.failed ?? JSON.stringify(seen), /lost|incomplete|prematurely/i)
  })

  test('a Worker that gives up its connection closes it at the target', async () => {
    const closed = Promise.withResolvers<void>()
    await using target = await tcpTarget((socket) => {
      socket.resume()
      void once(socket, 'end').then(() => closed.resolve())
    })
    await stack.ask('/half-close', { target: target.address }, { signal: AbortSignal.timeout(500) }).catch(() => {})
    await closed.promise
  })

  test('failures carry the documented text and a code', async () => {
    await using target = await tcpTarget((socket) => socket.destroy())
    const port = target.port
    await target[Symbol.asyncDispose]()
    for (const path of ['/half-close', '/fetch']) {
      const name = path === '/fetch' ? `http://127.0.0.1:${port}/` : `127.0.0.1:${port}`
      const response = await stack.ask(path, { target: name })
      assert.deepEqual(await response.json(), {
        failed: 'Error: ProxyError: connection_refused',
        code: 'connection_refused',
      })
    }
  })

  test('a name that does not resolve at the connector is a dns_error', async () => {
    const response = await stack.ask('/half-close', { target: 'no-such-host.invalid:80' })
    assert.equal(((await response.json()) as { code: string }).code, 'dns_error')
  })
})
