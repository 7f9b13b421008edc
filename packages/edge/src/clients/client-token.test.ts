import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { HawserError, Secret } from '@hawser/core'
import { formatClientToken, parseClientToken } from './client-token.ts'

const FIELDS = {
  client: 'c1',
  secret: Buffer.alloc(32, 7).toString('base64'),
  edges: ['edge.example:7846'],
  ca: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
}

function encode(fields: unknown): string {
  return Buffer.from(JSON.stringify(fields)).toString('base64')
}

test('a token comes out as it went in, and its secret stays one', () => {
  const token = { clientId: 'c1', secret: new Secret(FIELDS.secret), edges: FIELDS.edges, caPem: FIELDS.ca }
  const read = parseClientToken(` ${formatClientToken(token)}\n`)
  assert.deepEqual({ ...read, secret: read.secret.reveal() }, { ...token, secret: FIELDS.secret })
  assert.ok(!inspect(read).includes(FIELDS.secret))
})

for (const [what, token, reason] of [
  ['nothing', '', /expected what/],
  ['words', 'hunter2-not-a-token', /expected what/],
  ['base64 of null', encode(null), /expected what/],
  ['far too much', 'QUFB'.repeat(20_000), /expected what/],
  ['a token of a tunnel', encode({ a: 'hunter2', t: 'hunter2', s: 'hunter2' }), /it is for connectors/],
  ['a short secret', encode({ ...FIELDS, secret: 'aHVudGVyMg==' }), /the secret is/],
  ['no secret', encode({ ...FIELDS, secret: 5 }), /the secret is/],
  ['no CA', encode({ ...FIELDS, ca: 'hunter2' }), /the CA is/],
  ['edges that are no texts', encode({ ...FIELDS, edges: [5] }), /the edges are/],
] as const) {
  test(`${what} is no token, and is not repeated in the error`, () => {
    assert.throws(
      () => parseClientToken(token),
      (error) => {
        assert.ok(HawserError.is(error, 'token_invalid'))
        assert.match(error.message, reason)
        assert.ok(!`${error.stack ?? ''}${String(error.cause)}`.includes('hunter2'))
        return true
      },
    )
  })
}
