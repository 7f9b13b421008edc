import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { Secret } from '@hawser/core'
import { assertNoLeaks, tlsPair } from '@hawser/testkit'
import { channelBinding, proofMatches, proofOf } from './proof.ts'

const secret = new Secret(Buffer.alloc(32, 1).toString('base64'))
const binding = Buffer.alloc(32, 2)

describe('the proof of a token', () => {
  test('is the HMAC-SHA-256 that docs/protocol.md describes', () => {
    const expected = createHmac('sha256', Buffer.alloc(32, 1))
      .update(Buffer.concat([binding, Buffer.from('\0tunnel\0connector')]))
      .digest('base64')
    assert.equal(proofOf(secret, binding, 'tunnel', 'connector'), expected)
  })

  test('holds for one secret, one connection, one tunnel and one connector only', () => {
    const proof = proofOf(secret, binding, 'tunnel', 'connector')
    assert.ok(proofMatches(proofOf(secret, binding, 'tunnel', 'connector'), proof))
    for (const other of [
      proofOf(new Secret(randomBytes(32).toString('base64')), binding, 'tunnel', 'connector'),
      proofOf(secret, randomBytes(32), 'tunnel', 'connector'),
      proofOf(secret, binding, 'tunnel2', 'connector'),
      proofOf(secret, binding, 'tunnel', 'connector2'),
      proofOf(secret, binding, 'connector', 'tunnel'),
      '',
      proof.slice(1),
      `${proof} `,
    ]) {
      assert.ok(!proofMatches(proof, other))
    }
  })

  test(
    'is made over what both ends of a TLS connection know, and no other connection has',
    { timeout: 10_000 },
    async (t) => {
      assertNoLeaks(t)
      const pairs = await Promise.all([tlsPair(), tlsPair()])
      const bindings = pairs.map(([client, server]) => {
        assert.equal(channelBinding(client).toString('hex'), channelBinding(server).toString('hex'))
        return channelBinding(client).toString('hex')
      })
      assert.equal(bindings[0]?.length, 64)
      assert.notEqual(bindings[0], bindings[1])
      for (const socket of pairs.flat()) socket.destroy()
    },
  )
})
