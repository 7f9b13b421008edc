import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LOG_LEVELS, MAX_SETTINGS_BYTES, parseConnectorSettings } from './connector-settings.ts'
import { HawserError } from './errors.ts'

const probe = { type: 'tcp', host: 'db.internal', port: 5432 }

test('what is left out has a default', () => {
  assert.deepEqual(parseConnectorSettings({}), { allow: [], deny: [], probes: [] })
  assert.deepEqual(parseConnectorSettings({ probes: [{ ...probe, host: 'DB.Internal' }] }).probes, [
    { type: 'tcp', host: 'db.internal', port: 5432, path: '/', intervalMs: 10_000, timeoutMs: 2_000 },
  ])
})

for (const [settings, says] of [
  [null, /^settings: expected an object, got null$/],
  [[], /^settings: expected an object/],
  [{ Allow: [] }, /^settings\.Allow: no such setting; known are allow, deny, logLevel, probes$/],
  [{ allow: '10.0.0.0/8' }, /^allow: expected up to 256 CIDRs/],
  [{ allow: Array.from({ length: 257 }, () => '10.0.0.0/8') }, /^allow: /],
  [{ deny: [7] }, /^deny\[0\]: expected a CIDR, got 7$/],
  [{ deny: ['x'.repeat(65)] }, /^deny\[0\]: /],
  [{ logLevel: 'loud' }, /^logLevel: expected one of debug, info, warn, error, got "loud"$/],
  [{ probes: {} }, /^probes: expected up to 32/],
  [{ probes: Array.from({ length: 33 }, () => probe) }, /^probes: /],
  [{ probes: ['db'] }, /^probes\[0\]: expected an object, got "db"$/],
  [{ probes: [probe, { ...probe, type: 'udp' }] }, /^probes\[1\]\.type: expected tcp or http, got "udp"$/],
  [{ probes: [{ ...probe, host: '[::1]' }] }, /^probes\[0\]\.host: /],
  [{ probes: [{ ...probe, host: 'a b' }] }, /^probes\[0\]\.host: /],
  [{ probes: [{ ...probe, port: 0 }] }, /^probes\[0\]\.port: expected an integer of 1 to 65535, got 0$/],
  [{ probes: [{ ...probe, path: 'health' }] }, /^probes\[0\]\.path: /],
  [{ probes: [{ ...probe, path: '/a\r\nb: c' }] }, /^probes\[0\]\.path: /],
  [{ probes: [{ ...probe, intervalMs: 999 }] }, /^probes\[0\]\.intervalMs: /],
  [{ probes: [{ ...probe, timeoutMs: 1.5 }] }, /^probes\[0\]\.timeoutMs: /],
  [{ probes: [{ ...probe, tls: true }] }, /^probes\[0\]\.tls: no such setting/],
  [{ deny: Array.from({ length: 256 }, () => 'x'.repeat(60)) }, new RegExp(`up to ${MAX_SETTINGS_BYTES} bytes`)],
] as const) {
  test(`${JSON.stringify(settings).slice(0, 60)} is refused: ${says.source.slice(0, 60)}`, () => {
    assert.throws(() => parseConnectorSettings(settings), { code: 'options_invalid', message: says })
  })
}

test('what was read reads the same again', () => {
  const cidr = fc.constantFrom('10.0.0.0/8', 'fd00::/8', '192.0.2.1')
  const settings = fc.record({
    allow: fc.array(cidr, { maxLength: 20 }),
    deny: fc.array(cidr, { maxLength: 20 }),
    logLevel: fc.option(fc.constantFrom(...LOG_LEVELS), { nil: undefined }),
    probes: fc.array(
      fc.record(
        {
          type: fc.constantFrom('tcp', 'http'),
          host: fc.constantFrom('db', '10.0.0.1', '::1', 'A.b'),
          port: fc.integer({ min: 1, max: 65_535 }),
          path: fc.constantFrom('/', '/health?x=1'),
          intervalMs: fc.integer({ min: 1_000, max: 600_000 }),
        },
        { requiredKeys: ['type', 'host', 'port'] },
      ),
      { maxLength: 8 },
    ),
  })
  fc.assert(
    fc.property(settings, (given) => {
      const read = parseConnectorSettings(given)
      assert.deepEqual(parseConnectorSettings(JSON.parse(JSON.stringify(read))), read)
    }),
  )
})

test('no JSON at all makes it fail in another way', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      try {
        parseConnectorSettings(value)
      } catch (error) {
        assert.ok(HawserError.is(error, 'options_invalid'))
      }
    }),
  )
})
