import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { publicEgress } from './egress.ts'
import { parseHost } from './host.ts'
import { formatIp, ipv4 } from './ip-address.ts'

const policy = publicEgress({ ownListeners: () => [] })

/** An IPv4 address out of the private, loopback, link-local and shared blocks. */
const closedIpv4 = fc
  .tuple(
    fc.constantFrom(
      [0x0a00_0000, 8],
      [0x7f00_0000, 8],
      [0xa9fe_0000, 16],
      [0xac10_0000, 12],
      [0xc0a8_0000, 16],
      [0x6440_0000, 10],
    ),
    fc.nat(0xffff_ffff),
  )
  .map(([[base = 0, prefix = 0], random]) => (base | (random & (0xffff_ffff >>> prefix))) >>> 0)

const inBase = fc.constantFrom<(value: number) => string>(
  (value) => String(value),
  (value) => `0${value.toString(8)}`,
  (value) => `000${value.toString(8)}`,
  (value) => `0x${value.toString(16)}`,
  (value) => `0X00${value.toString(16).toUpperCase()}`,
)

/** A way to write an IPv4 address: 1 to 4 parts, each in a base of its own. */
const legacySpelling = fc
  .tuple(closedIpv4, fc.integer({ min: 1, max: 4 }), fc.array(inBase, { minLength: 4, maxLength: 4 }))
  .map(([word, parts, bases]) => {
    const octets = [24, 16, 8].slice(0, parts - 1).map((shift) => (word >>> shift) & 0xff)
    const last = parts === 1 ? word : word & (0xffff_ffff >>> (8 * (parts - 1)))
    return [...octets, last].map((value, at) => bases[at]?.(value) ?? String(value)).join('.')
  })

const ipv6Spelling = closedIpv4.chain((word) => {
  const dotted = formatIp(ipv4(word))
  const [high, low] = [(word >>> 16).toString(16), (word & 0xffff).toString(16)]
  const [notHigh, notLow] = [(~word >>> 16).toString(16), (~word & 0xffff).toString(16)]
  return fc.constantFrom(
    `::ffff:${dotted}`,
    `::FFFF:${high}:${low}`,
    `0:0:0:0:0:ffff:${dotted}`,
    `::${dotted}`,
    `::ffff:0:${dotted}`,
    `64:ff9b::${dotted}`,
    `64:FF9B:0:0:0:0:${high}:${low}`,
    `64:ff9b:1::${dotted}`,
    `2002:${high}:${low}::`,
    `2001::${notHigh}:${notLow}`,
  )
})

test('every spelling of a closed IPv4 address is refused, typed or resolved', () => {
  const spelling = fc.oneof(
    legacySpelling,
    ipv6Spelling,
    ipv6Spelling.map((text) => `[${text}]`),
  )
  fc.assert(
    fc.property(spelling, (text) => {
      const typed = parseHost(text)
      assert.equal(typed.kind, 'ip', text)
      for (const address of [typed.kind === 'ip' ? typed.ip : '', text]) {
        assert.deepEqual(policy.judge([address], 443).allowed, [], address)
      }
    }),
    { numRuns: 2_000 },
  )
})
