import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseClientToken } from './client-token.ts'

const FIELDS = {
  client: 'c1',
  secret: Buffer.alloc(32, 7).toString('base64'),
  edges: ['edge.example:7846'],
  ca: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
}

function encode(fields: unknown): string {
  return Buffer.from(JSON.stringify(fields)).toString('base64')
}

test('a token comes out as it went in, blanks around it left out', () => {
  assert.deepEqual(parseClientToken(` ${encode(FIELDS)}\n`), {
    clientId: 'c1',
    secret: Buffer.alloc(32, 7),
    edges: ['edge.example:7846'],
    caPem: FIELDS.ca,
  })
})

for (const [what, token, reason] of [
  ['nothing', '', /expected what/],
  ['a number', 7, /expected text, got number/],
  ['words', 'hunter2-not-a-token', /expected what/],
  ['base64 of a text', encode('hunter2'), /expected what/],
  ['base64 of null', encode(null), /expected what/],
  ['far too much', 'QUFB'.repeat(20_000), /expected what/],
  ['a token of a tunnel', encode({ a: 'hunter2', t: 'hunter2', s: 'hunter2' }), /tokens of tunnels are for connectors/],
  ['a short secret', encode({ ...FIELDS, secret: 'aHVudGVyMg==' }), /the secret is/],
  ['no secret', encode({ ...FIELDS, secret: 5 }), /the secret is/],
  ['no CA', encode({ ...FIELDS, ca: 'hunter2' }), /the CA is/],
  ['no edges', encode({ ...FIELDS, edges: 'hunter2' }), /the edges are/],
  ['edges that are no texts', encode({ ...FIELDS, edges: [5] }), /the edges are/],
] as const) {
  test(`${what} is no token, and is not repeated in the error`, () => {
    assert.throws(
      () => parseClientToken(token),
      (error: Error & { code?: string }) => {
        assert.ok(error instanceof TypeError)
        assert.equal(error.code, 'token_invalid')
        assert.match(error.message, reason)
        assert.ok(!`${error.stack ?? ''}${String(error.cause)}`.includes('hunter2'))
        return true
      },
    )
  })
}
