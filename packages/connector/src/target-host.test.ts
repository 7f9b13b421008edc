import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import test from 'node:test'
import { HawserError } from '@hawser/core'
import fc from 'fast-check'
import { canonicalAddress, readTargetHost, withoutZone } from './target-host.ts'

const addresses: readonly (readonly [text: string, ip: string])[] = [
  ['10.0.0.1', '10.0.0.1'],
  ['127.0.0.1', '127.0.0.1'],
  ['127.1', '127.0.0.1'],
  ['127.0.1', '127.0.0.1'],
  ['0x7f.1', '127.0.0.1'],
  ['0x7f000001', '127.0.0.1'],
  ['0X7F000001', '127.0.0.1'],
  ['2130706433', '127.0.0.1'],
  ['017700000001', '127.0.0.1'],
  ['0177.0.0.1', '127.0.0.1'],
  ['127.0.0.1.', '127.0.0.1'],
  ['0', '0.0.0.0'],
  ['0x', '0.0.0.0'],
  ['10.1', '10.0.0.1'],
  ['１２７.0.0.1', '127.0.0.1'],
  ['127。0。0。1', '127.0.0.1'],
  ['::1', '::1'],
  ['[::1]', '::1'],
  ['0:0:0:0:0:0:0:1', '::1'],
  ['FD00::ABCD', 'fd00::abcd'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['::FFFF:0A00:0001', '10.0.0.1'],
  ['[::ffff:7f00:1]', '127.0.0.1'],
  ['0:0:0:0:0:ffff:127.0.0.1', '127.0.0.1'],
  ['fe80::1%eth0', 'fe80::1%eth0'],
  ['[FE80::1%br-lan.7]', 'fe80::1%br-lan.7'],
  ['::ffff:127.0.0.1%1', '127.0.0.1'],
  ['64:ff9b::7f00:1', '64:ff9b::7f00:1'],
]

for (const [text, ip] of addresses) {
  test(`${text} is the address ${ip}`, () => {
    assert.deepEqual(readTargetHost(text), { kind: 'ip', ip })
  })
}

const names: readonly (readonly [text: string, name: string])[] = [
  ['localhost', 'localhost'],
  ['LOCALHOST', 'localhost'],
  ['db.internal', 'db.internal'],
  ['db.internal.', 'db.internal.'],
  ['redis', 'redis'],
  ['my_service.default.svc.cluster.local', 'my_service.default.svc.cluster.local'],
  ['1password.internal', '1password.internal'],
  ['10.0.0.1.nip.io', '10.0.0.1.nip.io'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['a'.repeat(63), 'a'.repeat(63)],
]

for (const [text, name] of names) {
  test(`${text} is the name ${name}`, () => {
    assert.deepEqual(readTargetHost(text), { kind: 'name', name })
  })
}

const refused: readonly string[] = [
  '',
  '.',
  '..',
  'a..b',
  '256.0.0.1',
  '1.2.3.4.5',
  '1.2.3.4.5.',
  '09.0.0.1',
  '127.0.0.0x1g.7',
  'db.0x7f',
  'db.1',
  '4294967296',
  '::1::',
  '[::1',
  '[10.0.0.1',
  '[]',
  'fe80::1%',
  '10.0.0.1%eth0',
  'db.internal:5432',
  'a b',
  'a\nb',
  'a\u0000b',
  'user@host',
  'http://host',
  'host/path',
  '-leading',
  'trailing-',
  'a'.repeat(64),
  `${'a.'.repeat(126)}ab`,
]

for (const text of refused) {
  test(`${JSON.stringify(text.slice(0, 40))} is no host`, () => {
    assert.throws(
      () => readTargetHost(text),
      (error: unknown) => HawserError.is(error, 'address_invalid') && error.message.startsWith('host: '),
    )
  })
}

test('whatever the text, the outcome is a canonical address, a plain name or address_invalid', () => {
  const part = fc.constantFrom('0', '1', '7f', '0x', '.', ':', '[', ']', '%', 'a', 'ffff', '-', '_', '255', '。', ' ')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const text = parts.join('')
      try {
        const host = readTargetHost(text)
        if (host.kind === 'ip') {
          assert.notEqual(isIP(host.ip), 0)
          assert.equal(canonicalAddress(host.ip), host.ip)
        } else {
          assert.match(host.name, /^[a-z0-9_.-]+$/)
          assert.doesNotMatch(host.name, /(^|\.)\d+\.?$/) // nothing that a C library would read as an address
        }
      } catch (error) {
        assert.ok(HawserError.is(error, 'address_invalid'), String(error))
      }
    }),
    { numRuns: 5000 },
  )
})

test('canonicalAddress knows literals only', () => {
  assert.equal(canonicalAddress('localhost'), undefined)
  assert.equal(canonicalAddress('127.1'), undefined)
  assert.equal(canonicalAddress('::ffff:1.2.3.4'), '1.2.3.4')
})

test('withoutZone cuts the zone and nothing else', () => {
  assert.equal(withoutZone('fe80::1%eth0'), 'fe80::1')
  assert.equal(withoutZone('10.0.0.1'), '10.0.0.1')
})
