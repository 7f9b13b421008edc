import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { assertNoLeaks } from './leaks.ts'
import { PAIRS, tcpPair, tlsPair } from './pairs.ts'

describe('pairs', () => {
  for (const [name, pair] of Object.entries(PAIRS)) {
    test(`${name}: what goes in at one end comes out at the other`, { timeout: 10_000 }, async (t) => {
      assertNoLeaks(t)
      const [client, server] = await pair()
      client.end('question')
      assert.equal(await text(server), 'question')
      if (server.writable) server.end('answer')
      client.resume()
    })
  }

  test('TCP ends are half-open and know a reset', { timeout: 10_000 }, async (t) => {
    assertNoLeaks(t)
    const [client, server] = await tcpPair()
    client.end('question')
    await text(server)
    server.end('answer')
    assert.equal(await text(client), 'answer')
  })

  test('TLS ends are past the handshake, and the client trusts the server', { timeout: 10_000 }, async (t) => {
    assertNoLeaks(t)
    const [client, server] = await tlsPair()
    assert.equal(client.authorized, true)
    assert.equal(server.getProtocol(), 'TLSv1.3')
    client.destroy()
    server.destroy()
  })
})
