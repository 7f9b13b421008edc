import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import fc from 'fast-check'
import { parseHost } from './host.ts'

function refused(text: string, rule: RegExp): void {
  assert.throws(() => parseHost(text), { code: 'address_invalid', message: rule }, JSON.stringify(text))
}

test('a name is read in lower case, without its trailing dot', () => {
  const names = { 'Example.COM': 'example.com', 'example.com.': 'example.com', db: 'db', 'DB.': 'db', _srv: '_srv' }
  for (const [text, name] of Object.entries(names)) assert.deepEqual(parseHost(text), { kind: 'name', name })
  for (const name of [
    'xn--bcher-kva.example',
    'r4---sn-x-.example',
    '1password.com',
    '0x7g.example',
    '127.0.0.1.example',
  ]) {
    assert.deepEqual(parseHost(name), { kind: 'name', name })
  }
})

test('IPv4 literals of every spelling give dotted decimal', () => {
  for (const text of ['127.0.0.1', '127.1', '0x7f.1', '2130706433', '0177.1', '0x7F.0.0.0x1', '00000000000000177.1']) {
    assert.deepEqual(parseHost(text), { kind: 'ip', ip: '127.0.0.1' })
  }
})

test('IPv6 literals are read with and without brackets', () => {
  assert.deepEqual(parseHost('[::1]'), { kind: 'ip', ip: '::1' })
  assert.deepEqual(parseHost('2001:DB8:0::1'), { kind: 'ip', ip: '2001:db8::1' })
  assert.deepEqual(parseHost('[::ffff:127.0.0.1]'), { kind: 'ip', ip: '127.0.0.1' })
  assert.deepEqual(parseHost('::ffff:7f00:1'), { kind: 'ip', ip: '127.0.0.1' })
  assert.deepEqual(parseHost('[::127.0.0.1]'), { kind: 'ip', ip: '::7f00:1' })
})

test('an empty host is refused', () => refused('', /it is empty/))

test('characters that no host has are refused: zone ids, escapes, blanks, controls, Unicode', () => {
  const charset = /only letters, digits and/
  for (const text of [
    'fe80::1%eth0',
    '[fe80::1%25eth0]',
    '%31.0.0.1',
    '127%2e0.0.1',
    'a%00b',
    'a b',
    ' a',
    'a\t',
    'a\0',
  ]) {
    refused(text, charset)
  }
  for (const text of [
    '１２７.0.0.1',
    '①②⑦.0.0.1',
    '127。0。0。1',
    '127．0．0．1',
    'ｌocalhost',
    'bücher.example',
    '٨.8.8.8',
  ]) {
    refused(text, charset)
  }
  for (const text of ['a/b', 'a@b', 'http://a', 'a?b', 'a#b', 'a\\b', 'a,b', '*', 'a\u200bb', 'a\u00adb', 'a\r\nb']) {
    refused(text, charset)
  }
})

test('text that ends in a number must be an IPv4 address', () => {
  const rule = /ends in a number but is not an IPv4 address/
  for (const text of [
    '1.2.3.4.5',
    '256.1.1.1',
    '1.1.1.256',
    '127.0.0.08',
    '4294967296',
    '0x',
    '0x100000000',
    'a.1',
    'a.0x1',
  ]) {
    refused(text, rule)
  }
  for (const text of ['1..2', '.1', '1.2.3.0x', '99999999999999999999', 'example.com.127', '037777777777777']) {
    refused(text, rule)
  }
})

test('a trailing dot after an IPv4 literal is refused, since URL parsers and resolvers disagree on it', () => {
  for (const text of ['127.0.0.1.', '127.1.', '2130706433.', '0x7f000001.']) {
    refused(text, /ends in a number but is not an IPv4 address/)
  }
})

test('broken IPv6 is refused', () => {
  const bad = [
    '[',
    ']',
    '[]',
    '[::1',
    '::1]',
    '[::1]]',
    '[[::1]]',
    '[127.0.0.1]',
    '[::1]:80',
    'a:80',
    ':::',
    '1::2::3',
    ':',
  ]
  for (const text of [
    ...bad,
    '12345::',
    '::ffff:127.0.0.01',
    '::ffff:0177.0.0.1',
    '::g',
    '[localhost]',
    '::1.',
    '1:2:3',
  ]) {
    refused(text, /not an IPv6 address/)
  }
})

test('empty and overlong labels and names are refused', () => {
  for (const text of ['.', '..', 'a..b', '.a', 'a..']) refused(text, /empty label/)
  refused(`${'a'.repeat(64)}.example`, /label has at most 63/)
  refused(`${'a.'.repeat(127)}`.concat('b'), /name has at most 253/)
  assert.equal(parseHost(`${'a.'.repeat(126)}b.`).kind, 'name')
  assert.equal(parseHost('a'.repeat(63)).kind, 'name')
})

test('a message quotes no more than it needs', () => {
  assert.throws(
    () => parseHost('%'.repeat(100_000)),
    (error) => HawserError.is(error, 'address_invalid') && error.message.length < 300,
  )
})

test('any text is a canonical literal, a plain name, or refused with a code; nothing in between', () => {
  const anything = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(...'019afx.:[]-_%G'.split('')), maxLength: 20 }),
    fc.domain(),
    fc.ipV4Extended(),
    fc.ipV6(),
  )
  fc.assert(
    fc.property(anything, (text) => {
      try {
        const parsed = parseHost(text)
        if (parsed.kind === 'ip') assert.notEqual(isIP(parsed.ip), 0)
        else assert.match(parsed.name, /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/)
        const again = parsed.kind === 'ip' ? parsed.ip : parsed.name
        assert.deepEqual(parseHost(again), parsed)
      } catch (error) {
        if (!HawserError.is(error, 'address_invalid')) throw error
      }
    }),
    { numRuns: 3_000 },
  )
})

test('where the URL parser reads an address, so does this, and the same one', () => {
  const part = fc.oneof(
    fc.nat(300).map(String),
    fc.nat(300).map((n) => `0${n.toString(8)}`),
    fc.nat(70_000).map((n) => `0x${n.toString(16)}`),
  )
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
      const text = parts.join('.')
      const url = URL.parse(`http://${text}/`)
      if (url === null) refused(text, /./)
      else assert.deepEqual(parseHost(text), { kind: 'ip', ip: url.hostname })
    }),
    { numRuns: 2_000 },
  )
})
