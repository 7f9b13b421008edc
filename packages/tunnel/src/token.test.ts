import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HawserError, Secret } from '@hawser/core'
import { formatTunnelToken, parseTunnelToken } from './token.ts'
import type { TunnelToken } from './token.ts'

const token: TunnelToken = {
  accountId: '0123456789abcdef0123456789abcdef',
  tunnelId: '8f2f1a3e-52a2-4b53-9c53-000000000001',
  secret: new Secret(Buffer.alloc(32, 7).toString('base64')),
  edges: ['edge.example:7844', '[2001:db8::1]:7844'],
  caPem: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
}

function encode(fields: unknown): string {
  return Buffer.from(JSON.stringify(fields)).toString('base64')
}

function fieldsOf(text: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(text, 'base64').toString()) as Record<string, unknown>
}

describe('the tunnel token', () => {
  test('comes out as it went in', () => {
    const parsed = parseTunnelToken(` ${formatTunnelToken(token)}\n`)
    assert.deepEqual({ ...parsed, secret: parsed.secret.reveal() }, { ...token, secret: token.secret.reveal() })
  })

  test('holds for stock cloudflared what it wants, in the types it wants, and nothing it would trip over', () => {
    const text = formatTunnelToken(token)
    assert.match(text, /^eyJ[A-Za-z0-9+/]+={0,2}$/)
    const fields = fieldsOf(text)
    assert.equal(fields['a'], token.accountId)
    assert.equal(fields['t'], token.tunnelId)
    assert.equal(Buffer.from(String(fields['s']), 'base64').length, 32)
    // cloudflared matches names without regard to case, and `e` has to be a string there.
    assert.deepEqual(
      Object.keys(fields).filter((name) => name.toLowerCase() === 'e'),
      [],
    )
  })

  test('without edges is a token: where to connect may be said elsewhere', () => {
    assert.deepEqual(parseTunnelToken(formatTunnelToken({ ...token, edges: [] })).edges, [])
  })

  test('does not print its secret', () => {
    assert.ok(!JSON.stringify(parseTunnelToken(formatTunnelToken(token))).includes(token.secret.reveal()))
  })

  const fields = fieldsOf(formatTunnelToken(token))
  for (const [name, text, reason] of [
    ['nothing', '', /empty/],
    ['words', 'hunter2-not-a-token', /not base64/],
    ['base64 of words', Buffer.from('hunter2').toString('base64'), /does not hold JSON$/],
    ['base64 of a number', encode(17), /JSON object/],
    ['base64 of null', encode(null), /JSON object/],
    ['far too much', 'QUFB'.repeat(20_000), /not base64/],
    ['no account', encode({ ...fields, a: undefined }), /account id \(a\)/],
    ['an account that is none', encode({ ...fields, a: 'hunter2' }), /account id \(a\)/],
    ['no tunnel', encode({ ...fields, t: 5 }), /tunnel id \(t\)/],
    ['a short secret', encode({ ...fields, s: 'aHVudGVyMg==' }), /secret \(s\)/],
    ['no CA', encode({ ...fields, ca: '' }), /CA \(ca\)/],
    ['edges that are no list', encode({ ...fields, edges: 'hunter2' }), /list of edges/],
    ['edges that are no texts', encode({ ...fields, edges: [1] }), /list of edges/],
    ['too many edges', encode({ ...fields, edges: Array.from({ length: 65 }, () => 'e:1') }), /list of edges/],
    ['the token of another vendor', encode({ a: fields['a'], t: fields['t'], s: fields['s'] }), /CA \(ca\)/],
  ] as const) {
    test(`${name} is no token, and is not repeated in the error`, () => {
      assert.throws(
        () => parseTunnelToken(text),
        (error: unknown) => {
          assert.ok(HawserError.is(error, 'token_invalid'))
          assert.match(error.message, reason)
          assert.ok(!`${error.stack ?? ''}${String(error.cause)}`.includes('hunter2'))
          return true
        },
      )
    })
  }
})
