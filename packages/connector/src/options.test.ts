import assert from 'node:assert/strict'
import test from 'node:test'
import { HawserError, Secret, silentLogger } from '@hawser/core'
import { formatTunnelToken } from '@hawser/tunnel'
import { resolveConnectorOptions } from './options.ts'
import type { ConnectorOptions } from './options.ts'

const SECRET = Buffer.alloc(32, 7).toString('base64')

function tokenFor(...edges: readonly string[]): string {
  return formatTunnelToken({
    accountId: 'a'.repeat(32),
    tunnelId: '550e8400-e29b-41d4-a716-446655440000',
    secret: new Secret(SECRET),
    edges,
    caPem: '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n',
  })
}

const resolve = (options: Partial<ConnectorOptions>): ReturnType<typeof resolveConnectorOptions> =>
  resolveConnectorOptions({ token: tokenFor('e:1'), logger: silentLogger, ...options })

test('the edges of the token serve where none are given', () => {
  const { edges, connections, weight, token } = resolve({ token: tokenFor('a:1', '[::1]:2', 'bare') })
  assert.deepEqual(edges, [
    { host: 'a', port: 1 },
    { host: '::1', port: 2 },
    { host: 'bare', port: 7844 },
  ])
  assert.deepEqual([connections, weight], [4, 100])
  assert.equal(token.tunnelId, '550e8400-e29b-41d4-a716-446655440000')
})

test('given edges stand instead of those of the token', () => {
  assert.deepEqual(resolve({ edges: ['b:2'] }).edges, [{ host: 'b', port: 2 }])
  assert.deepEqual(resolve({ edges: [] }).edges, [{ host: 'e', port: 1 }])
})

test('one edge that is named twice is one edge', () => {
  assert.equal(resolve({ edges: ['b:7844', 'B', 'b:7844'] }).edges.length, 1)
})

test('a token read from a file may end in a newline', () => {
  assert.equal(resolve({ token: `${tokenFor('e:1')}\n` }).edges.length, 1)
})

test('the lists become rules', () => {
  const { rules } = resolve({ allow: ['10.0.0.0/8'], deny: ['10.9.0.0/16'] })
  assert.equal(rules('10.1.1.1'), undefined)
  assert.notEqual(rules('10.9.1.1'), undefined)
  assert.notEqual(rules('11.1.1.1'), undefined)
})

const bad: readonly (readonly [options: Readonly<Record<string, unknown>>, says: RegExp])[] = [
  [{ token: '' }, /^not a tunnel token/],
  [{ token: 'hunter2' }, /^not a tunnel token/],
  [{ token: tokenFor() }, /^edges: the token names no edge, so at least one host:port is needed$/],
  [{ token: tokenFor('e:x') }, /^token: expected host or host:port .* got "e:x"$/],
  [{ token: tokenFor('e:0') }, /^token: expected a port of 1 to 65535, got e:0$/],
  [{ edges: ['a:1', 'http://b'] }, /^edges\[1\]: expected host or host:port .* got "http:\/\/b"$/],
  [{ edges: [''] }, /^edges\[0\]: /],
  [{ edges: ['a:0'] }, /^edges\[0\]: expected a port of 1 to 65535, got a:0$/],
  [{ edges: ['a:65536'] }, /^edges\[0\]: /],
  [{ allow: ['lan'] }, /^allow\[0\]: expected a CIDR .* got "lan"$/],
  [{ deny: ['::/0', '10.0.0.0/99'] }, /^deny\[1\]: expected a CIDR .* got "10.0.0.0\/99"$/],
  [{ connections: 0 }, /^connections: expected a whole number of 1 to 16, got 0$/],
  [{ connections: 17 }, /got 17$/],
  [{ weight: -1 }, /^weight: expected a whole number of 0 to 100, got -1$/],
  [{ weight: 101 }, /got 101$/],
  [{ connections: 1.5 }, /got 1.5$/],
  [{ connections: Number.NaN }, /got NaN$/],
  [{ connection: 2 }, /^connection: no such option; known are token, edges, allow, deny, logger, connections, weight$/],
]

for (const [options, says] of bad) {
  const shown = 'token' in options ? 'a token' : JSON.stringify(options)
  test(`${shown} is refused: ${says.source}`, () => {
    assert.throws(
      () => resolve(options),
      (error) => {
        assert.ok(HawserError.is(error))
        assert.ok(['options_invalid', 'address_invalid', 'token_invalid'].includes(error.code))
        assert.match(error.message, says)
        assert.doesNotMatch(error.message, /hunter2/)
        assert.ok(!error.message.includes(SECRET))
        return true
      },
    )
  })
}
