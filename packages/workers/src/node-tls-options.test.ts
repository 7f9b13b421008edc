/** What drivers in a Worker say of TLS: what of it counts, and what of it must not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { rootCertificates } from 'node:tls'
import fc from 'fast-check'
import {
  checkIdentity,
  checkServerIdentity,
  createSecureContext,
  SecureContext,
  VerifiedPeer,
} from './runtime-node/secure-context.ts'
import { checkTlsOptions, servernameOf } from './runtime-node/tls-options.ts'

function warnings(t: TestContext): string[] {
  const lines: string[] = []
  t.mock.method(console, 'warn', (line: string) => lines.push(line))
  return lines
}

function codeOf(call: () => unknown): unknown {
  try {
    call()
    return undefined
  } catch (error) {
    return Reflect.get(error as Error, 'code')
  }
}

test('options about trust are accepted with one warning each, in all the life of an isolate', (t) => {
  const lines = warnings(t)
  checkTlsOptions({ ca: undefined, cert: null, rejectUnauthorized: true, host: 'h' })
  assert.deepEqual(lines, [])
  checkTlsOptions({ ca: rootCertificates[0], key: 'k', rejectUnauthorized: false })
  checkTlsOptions({ ca: 'another', rejectUnauthorized: false })
  checkTlsOptions({ ca: 'another', minVersion: 'TLSv1' })
  assert.equal(lines.length, 2)
  assert.match(lines[0] ?? '', /^node:tls: "ca", "key", "rejectUnauthorized: false" in code has no effect/)
  assert.match(lines[1] ?? '', /^node:tls: "minVersion" in code/)
})

test('what would make it another connection is refused unless it says no', () => {
  const names = [
    'ALPNProtocols',
    'pskCallback',
    'minDHSize',
    'enableTrace',
    'isServer',
    'server',
    'SNICallback',
    'requestOCSP',
  ]
  for (const name of names) {
    for (const value of [undefined, null, false]) checkTlsOptions({ [name]: value })
    for (const value of [true, 1, 'x', [], () => {}]) {
      assert.equal(
        codeOf(() => checkTlsOptions({ [name]: value })),
        'ERR_OPTION_NOT_IMPLEMENTED',
        name,
      )
    }
  }
  assert.equal(
    codeOf(() => checkTlsOptions({ checkServerIdentity: true })),
    'ERR_INVALID_ARG_TYPE',
  )
})

test('an empty servername, or one that is no text, is none', () => {
  for (const servername of ['', undefined, null, 5, {}]) assert.equal(servernameOf({ servername }), undefined)
  assert.equal(servernameOf({ servername: 'db.internal' }), 'db.internal')
})

test('options of a secure context are those of the connection, which win', () => {
  const secureContext = createSecureContext({ ca: 'a', minVersion: 'TLSv1.2' })
  assert.ok(secureContext instanceof SecureContext)
  assert.deepEqual(SecureContext.merge({ secureContext, ca: 'b' }), { secureContext, ca: 'b', minVersion: 'TLSv1.2' })
  for (const none of [undefined, null])
    assert.deepEqual(SecureContext.merge({ secureContext: none }), { secureContext: none })
  for (const foreign of [{}, { context: {} }, 5]) {
    assert.equal(
      codeOf(() => SecureContext.merge({ secureContext: foreign })),
      'ERR_TLS_INVALID_CONTEXT',
    )
  }
})

const label = fc.stringMatching(/^[a-zA-Z0-9]{1,8}$/)
const hostname = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))

test('a verified peer is good for its own name, in any case, and for no other', () => {
  fc.assert(
    fc.property(hostname, hostname, (name, other) => {
      const peer = new VerifiedPeer(name)
      assert.equal(checkServerIdentity(name.toUpperCase(), peer), undefined)
      const verdict = checkServerIdentity(other, peer)
      assert.equal(verdict === undefined, other.toLowerCase() === name.toLowerCase())
      // There is nothing about it that could be copied, compared or pinned.
      assert.deepEqual(Object.keys(peer), [])
      assert.notEqual(checkServerIdentity(name, Object.assign({}, peer)), undefined)
    }),
  )
})

test("a real certificate is checked by Node's own rules", () => {
  const certificate = {
    subject: { CN: 'a.example' },
    subjectaltname: 'DNS:a.example, DNS:*.b.example, IP Address:10.0.0.1',
  }
  for (const name of ['a.example', 'x.b.example', '10.0.0.1'])
    assert.equal(checkServerIdentity(name, certificate), undefined)
  for (const name of ['b.example', 'x.y.b.example', '10.0.0.2']) {
    assert.equal(Reflect.get(checkServerIdentity(name, certificate) ?? {}, 'code'), 'ERR_TLS_CERT_ALTNAME_INVALID')
  }
})

test('a check of the driver’s decides, and one that throws decides against', () => {
  const refusal = new Error('no')
  const check = (checkServerIdentity: unknown): Error | undefined =>
    checkIdentity({ checkServerIdentity }, 'db.internal')
  assert.equal(check(undefined), undefined)
  assert.equal(
    check(() => undefined),
    undefined,
  )
  assert.equal(
    check(() => refusal),
    refusal,
  )
  const broken = (): never => {
    throw refusal
  }
  assert.equal(check(broken), refusal)
  assert.match(
    check((_name: string, { subject }: { readonly subject: { readonly CN: string } }) => subject.CN)?.message ?? '',
    /undefined/,
  )
  const asked: string[] = []
  assert.equal(
    check((name: string, peer: object) => {
      asked.push(name)
      return checkServerIdentity(name, peer)
    }),
    undefined,
  )
  assert.deepEqual(asked, ['db.internal'])
})
