import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startStack } from './support/stack.ts'
import { httpTarget, tcpTarget } from './support/targets.ts'

/** From the issue: how soon a Worker's call must fail once its connector is gone. */
const NOTICED_MS = 2000

test(
  'a connector killed in mid-transfer fails the calls it carried, and only those',
  { timeout: 120_000 },
  async () => {
    const connected = Promise.withResolvers<void>()
    await using endless = await tcpTarget((socket) => {
      const send = (): void => {
        while (socket.writable && socket.write(Buffer.alloc(65_536))) {}
      }
      socket.on('drain', send)
      send()
      connected.resolve()
    })
    await using http = await httpTarget((request, response) => {
      if (request.url === '/hang') return connectedToHang.resolve()
      return void response.end('hello')
    })
    const connectedToHang = Promise.withResolvers<void>()
    await using stack = await startStack()

    const reading = stack.ask('/read-all', { target: endless.address }).then((response) => response.json())
    const waiting = stack.ask('/fetch', { target: `http://${http.address}/hang` }).then((response) => response.json())
    await Promise.all([connected.promise, connectedToHang.promise])

    const killedAt = performance.now()
    await stack.connector.kill('SIGKILL')
    const seen = (await reading) as { failed?: string }
    const answered = (await waiting) as { code?: string }
    const noticedMs = performance.now() - killedAt
    assert.match(seen.failed ?? JSON.stringify(seen), /Network connection lost/)
    assert.equal(answered.code, 'connection_terminated')
    assert.ok(noticedMs < NOTICED_MS, `the calls failed after ${noticedMs.toFixed(0)} ms`)

    const without = await stack.ask('/fetch', { target: `http://${http.address}/` })
    assert.equal(((await without.json()) as { code: string }).code, 'destination_unavailable')

    stack.connector = await stack.startConnector()
    const again = await stack.ask('/fetch', { target: `http://${http.address}/` })
    assert.equal(await again.text(), 'hello')
    assert.equal(stack.edge.ended, false)
  },
)
