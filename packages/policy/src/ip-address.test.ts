import assert from 'node:assert/strict'
import { isIPv4, isIPv6 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatIp, ipv4, parseIp, parseLegacyIpv4 } from './ip-address.ts'

const word = fc.nat({ max: 0xffff_ffff })

/** inet_aton(3) as its manual page tells it, written from the other end: the value first, then its parts. */
function inetAton(text: string): number | undefined {
  const parts = text.split('.')
  if (parts.length > 4) return undefined
  const values = parts.map((part) => {
    if (/^0[xX][0-9a-fA-F]+$/.test(part)) return BigInt(part)
    if (/^0[0-7]*$/.test(part)) return BigInt(`0o0${part}`)
    return /^[1-9][0-9]*$/.test(part) ? BigInt(part) : -1n
  })
  const last = values.pop() ?? -1n
  if (values.some((value) => value < 0n || value > 255n)) return undefined
  if (last < 0n || last >= 256n ** BigInt(4 - values.length)) return undefined
  const high = values.reduce((sum, value, at) => sum + value * 256n ** BigInt(3 - at), 0n)
  return Number(high + last)
}

test('a legacy spelling has the value inet_aton gives it, or none', () => {
  const digit = fc.constantFrom(...'0123456789abfxX'.split(''))
  const number = fc.oneof(
    fc.nat({ max: 300 }).map(String),
    word.map(String),
    fc.nat({ max: 70_000 }).map((n) => `0${n.toString(8)}`),
    word.map((n) => `0x${n.toString(16)}`),
    fc.string({ unit: digit, maxLength: 12 }),
  )
  const text = fc.array(number, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.'))
  fc.assert(
    fc.property(text, (spelling) => {
      assert.deepEqual(parseLegacyIpv4(spelling)?.words[0], inetAton(spelling))
    }),
    { numRuns: 2_000 },
  )
})

test('the spellings of S-025 are 127.0.0.1', () => {
  for (const text of ['127.1', '0x7f.1', '2130706433', '0177.0.0.01', '0X7F000001', '017700000001', '127.0.1']) {
    const address = parseLegacyIpv4(text)
    assert.ok(address, text)
    assert.equal(formatIp(address), '127.0.0.1')
  }
})

test('what inet_aton refuses is no address', () => {
  const refused = ['', '.', '1.', '.1', '1..2', '256.1.1.1', '1.1.1.256', '1.16777216', '4294967296', '08.1.1.1', '0x']
  for (const text of [...refused, '1.2.3.4.5', '-1.1.1.1', '+1.1.1.1', ' 1.1.1.1', '1.1.1.1 ', '1e3', '１.1.1.1']) {
    assert.equal(parseLegacyIpv4(text), undefined, text)
  }
})

test('strict parsing takes what Node takes, less zone ids', () => {
  const group = fc.nat({ max: 0xffff }).map((n) => n.toString(16))
  const piece = fc.oneof(group, fc.constantFrom('', '::', '1.2.3.4', '0', '00000', 'g', '%1'))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 9 }), fc.constantFrom(':', '.', '::'), (pieces, separator) => {
      const text = pieces.join(separator)
      const valid = isIPv4(text) || (isIPv6(text) && !text.includes('%'))
      assert.equal(parseIp(text) !== undefined, valid, text)
    }),
    { numRuns: 2_000 },
  )
})

test('an address survives being written and read again, and its spelling is settled', () => {
  const words = fc.oneof(
    word.map((only) => [only]),
    fc.array(fc.oneof(word, fc.constant(0), fc.constant(0xffff)), { minLength: 4, maxLength: 4 }),
  )
  fc.assert(
    fc.property(words, (given) => {
      const address = { family: given.length === 1 ? (4 as const) : (6 as const), words: given }
      const text = formatIp(address)
      assert.deepEqual(parseIp(text), address)
      assert.equal(text, text.toLowerCase())
      assert.doesNotMatch(text, /(^|:)0[0-9a-f]/)
    }),
  )
})

test('every way to write an IPv6 address gives the RFC 5952 text', () => {
  const spellings: readonly (readonly [string, string])[] = [
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['::', '::'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['1::', '1::'],
    ['::1', '::1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['64:ff9b::10.0.0.1', '64:ff9b::a00:1'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
  ]
  for (const [text, canonical] of spellings) {
    const address = parseIp(text)
    assert.ok(address, text)
    assert.equal(formatIp(address), canonical)
  }
})

test('the deprecated compatible form is not taken for the mapped one', () => {
  assert.deepEqual(parseIp('::8.8.8.8')?.words, [0, 0, 0, 0x0808_0808])
  assert.deepEqual(parseIp('::ffff:8.8.8.8')?.words, [0, 0, 0xffff, 0x0808_0808])
})

test('a word with its highest bit set stays unsigned', () => {
  assert.equal(formatIp(ipv4(0xffff_ffff)), '255.255.255.255')
  assert.equal(formatIp(ipv4(~0)), '255.255.255.255')
  assert.deepEqual(parseIp('255.0.0.1')?.words, [0xff00_0001])
  assert.deepEqual(parseIp('ff00::')?.words, [0xff00_0000, 0, 0, 0])
})
