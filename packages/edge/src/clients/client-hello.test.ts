import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { HawserError, Secret } from '@hawser/core'
import fc from 'fast-check'
import { helloProof, parseHello, sameProof } from './client-hello.ts'
import { formatClientToken } from './client-token.ts'

const SECRET = new Secret(Buffer.alloc(32, 7).toString('base64'))

test('a hello names who calls and where to', () => {
  const line = (fields: object): string => JSON.stringify({ client: 'c', proof: 'p', ...fields })
  assert.deepEqual(parseHello(line({ network: 'n' })), { clientId: 'c', kind: 'network', target: 'n', proof: 'p' })
  assert.deepEqual(parseHello(line({ service: 's', more: 1 })), {
    clientId: 'c',
    kind: 'service',
    target: 's',
    proof: 'p',
  })
})

test('anything else is none, with one code, and is not repeated', () => {
  const refused = (text: string): void => {
    assert.throws(
      () => parseHello(text),
      (error: unknown) => {
        assert.ok(HawserError.is(error, 'unauthorized'))
        return !`${error.message}${String(error.cause)}`.includes('hunter2')
      },
    )
  }
  for (const fields of [
    { client: 'hunter2', proof: 'p' },
    { client: 'hunter2', proof: 'p', network: 'n', service: 's' },
    { client: 'hunter2', proof: 'p', network: 7 },
    { client: 7, proof: 'hunter2', network: 'n' },
    { client: 'hunter2', network: 'n' },
  ]) {
    refused(JSON.stringify(fields))
  }
  for (const text of ['', 'hunter2', '{"hunter2', 'null', '[]', '7', 'GET / HTTP/1.1']) refused(text)
  fc.assert(fc.property(fc.string({ unit: 'binary' }), refused))
})

test('a proof depends on the secret, the connection, the client and the target', () => {
  const binding = randomBytes(32)
  const hello = { clientId: 'c', kind: 'network', target: 'n' } as const
  const proof = helloProof(SECRET, binding, hello)
  assert.ok(sameProof(proof, helloProof(SECRET, binding, { ...hello })))
  for (const other of [
    helloProof(new Secret(randomBytes(32).toString('base64')), binding, hello),
    helloProof(SECRET, randomBytes(32), hello),
    helloProof(SECRET, binding, { ...hello, clientId: 'd' }),
    helloProof(SECRET, binding, { ...hello, kind: 'service' }),
    helloProof(SECRET, binding, { ...hello, target: 'm' }),
    '',
    proof.slice(1),
  ]) {
    assert.ok(!sameProof(proof, other))
  }
})

test('a token holds what a program needs, and prints as a mask until it is revealed', () => {
  const token = { clientId: 'c', secret: SECRET, edges: ['edge:7846'], caPem: 'PEM' }
  assert.ok(!JSON.stringify(token).includes(SECRET.reveal()))
  const fields: unknown = JSON.parse(Buffer.from(formatClientToken(token), 'base64').toString())
  assert.deepEqual(fields, { client: 'c', secret: SECRET.reveal(), edges: ['edge:7846'], ca: 'PEM' })
})
