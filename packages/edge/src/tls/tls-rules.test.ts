import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSecureContext } from 'node:tls'
import fc from 'fast-check'
import { HawserError, Secret } from '@hawser/core'
import type { TlsRule } from '@hawser/core'
import { createAuthority } from '@hawser/testkit'
import { authority } from './test-peer.ts'
import { TlsRules } from './tls-rules.ts'

const trust = createSecureContext()

/** What the rule is called that applies to a target. */
function ruleFor(rules: readonly TlsRule[], host: string, port: number): string | undefined {
  return new TlsRules(rules, trust).for(host, port).rule
}

function invalid(rule: TlsRule, message: RegExp): void {
  assert.throws(
    () => new TlsRules([{ host: 'first.internal' }, rule], trust),
    (error) => HawserError.is(error, 'config_invalid') && message.test(error.message),
    message.source,
  )
}

test('TLS rules: without one that matches, the public trust and full verification count', () => {
  for (const rules of [undefined, [], [{ host: 'other.internal' }]]) {
    const terms = new TlsRules(rules, trust).for('db.internal', 5432)
    assert.deepEqual(terms, { rule: undefined, context: trust, verify: 'verify_full', serverName: undefined })
  }
})

test('TLS rules: a host matches itself, on any port or on one', () => {
  assert.equal(ruleFor([{ host: 'db.internal' }], 'db.internal', 1), 'db.internal')
  assert.equal(ruleFor([{ host: 'db.internal' }], 'x.db.internal', 1), undefined)
  assert.equal(ruleFor([{ host: 'db.internal', port: 5432 }], 'db.internal', 5432), 'db.internal:5432')
  assert.equal(ruleFor([{ host: 'db.internal', port: 5432 }], 'db.internal', 5433), undefined)
})

test('TLS rules: the first that matches counts', () => {
  const rules: TlsRule[] = [{ host: 'db.internal', port: 1 }, { host: '*.internal' }, { host: 'db.internal' }]
  assert.equal(ruleFor(rules, 'db.internal', 1), 'db.internal:1')
  assert.equal(ruleFor(rules, 'db.internal', 2), '*.internal')
})

test('TLS rules: a wildcard stands for one label', () => {
  const rules: TlsRule[] = [{ host: '*.db.internal' }]
  assert.equal(ruleFor(rules, 'a.db.internal', 1), '*.db.internal')
  for (const host of ['db.internal', '.db.internal', 'a.b.db.internal', 'adb.internal', 'a.db.internal.evil']) {
    assert.equal(ruleFor(rules, host, 1), undefined, host)
  }
})

test('TLS rules: a wildcard agrees with the plain reading of it, whatever the names', () => {
  const label = fc.stringMatching(/^[a-c]{1,2}$/)
  const name = fc.array(label, { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(name, name, (pattern, host) => {
      const wanted = host.length === pattern.length + 1 && host.slice(1).join('.') === pattern.join('.')
      const rule = ruleFor([{ host: `*.${pattern.join('.')}` }], host.join('.'), 443)
      assert.equal(rule !== undefined, wanted)
    }),
  )
})

test('TLS rules: an address is matched by what it means', () => {
  assert.equal(ruleFor([{ host: '10.0.0.7' }], '10.0.0.7', 1), '10.0.0.7')
  assert.equal(ruleFor([{ host: 'fd00:0:0::0007', port: 6379 }], 'fd00::7', 6379), '[fd00:0:0::0007]:6379')
})

test('TLS rules: what a rule says is in its terms, and its context is made once', async () => {
  const { caPem } = await authority()
  const rules = new TlsRules([{ host: '*.internal', caPem, verify: 'verify_ca', serverName: 'x.internal' }], trust)
  const terms = rules.for('a.internal', 1)
  assert.deepEqual([terms.verify, terms.serverName], ['verify_ca', 'x.internal'])
  assert.notEqual(terms.context, trust)
  assert.equal(rules.for('b.internal', 2).context, terms.context)
})

test('TLS rules: several CA certificates, with remarks between them, are several', async () => {
  const [one, two] = [await authority(), await createAuthority()]
  const caPem = `# the old one\n${one.caPem}\n# the new one\r\n${two.caPem}\n`
  assert.equal(ruleFor([{ host: 'db.internal', caPem }], 'db.internal', 1), 'db.internal')
})

test('TLS rules: what cannot be used is refused, naming what the rule is for', async () => {
  const { caPem } = await authority()
  const pair = await (await authority()).issue()
  const other = await (await authority()).issue()
  const keyPem = new Secret(pair.keyPem)
  const rule = { host: 'db.internal', port: 5432 }
  const name = '"db\\.internal:5432"'
  invalid({ ...rule, caPem: '' }, new RegExp(`${name}.*CA file`))
  invalid({ ...rule, caPem: 'not PEM' }, new RegExp(`${name}.*CA file`))
  invalid({ ...rule, caPem: caPem.slice(0, -40) }, new RegExp(`${name}.*CA file`))
  invalid({ ...rule, caPem: caPem + pair.keyPem }, new RegExp(`${name}.*CA file`))
  invalid({ ...rule, caPem: caPem.replace(/\n.{20}/, '\n!!!!!') }, new RegExp(`${name}.*CA certificate`))
  invalid({ ...rule, certPem: pair.certPem }, new RegExp(`${name}.*one of them is missing`))
  invalid({ ...rule, keyPem }, new RegExp(`${name}.*one of them is missing`))
  invalid({ ...rule, certPem: other.certPem, keyPem }, new RegExp(`${name}.*cannot be used`))
  invalid({ ...rule, certPem: 'x', keyPem }, new RegExp(`${name}.*cannot be used`))
  invalid({ ...rule, certPem: pair.certPem, keyPem: new Secret('x') }, new RegExp(`${name}.*cannot be used`))
  invalid({ ...rule, port: 0 }, /expected a port/)
  invalid({ host: '*.10.0.0.1' }, /"\*\.10\.0\.0\.1"/)
  invalid({ host: 'a b' }, /"a b".*expected a name/)
})

test('TLS rules: no message shows a key', async () => {
  const { keyPem, certPem } = await (await authority()).issue()
  const broken = keyPem.replace('A', '!')
  assert.throws(
    () => new TlsRules([{ host: 'db.internal', certPem, keyPem: new Secret(broken) }], trust),
    (error) => error instanceof Error && !error.message.includes(broken.slice(40, 60)),
  )
})
