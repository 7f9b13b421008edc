import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { classifyAddress } from './classify.ts'
import { embeddedIpv4 } from './embedded.ts'
import { formatIp, ipv4, parseIp } from './ip-address.ts'
import type { BlockedReason } from './special-ranges.ts'

/** First and last address of a block, and its neighbours where they are public. */
type Block = readonly [reason: BlockedReason, first: string, last: string, before?: string | undefined, after?: string]

const V4_BLOCKS: readonly Block[] = [
  ['unspecified', '0.0.0.0', '0.255.255.255', undefined, '1.0.0.0'],
  ['private', '10.0.0.0', '10.255.255.255', '9.255.255.255', '11.0.0.0'],
  ['carrier_nat', '100.64.0.0', '100.127.255.255', '100.63.255.255', '100.128.0.0'],
  ['loopback', '127.0.0.0', '127.255.255.255', '126.255.255.255', '128.0.0.0'],
  ['link_local', '169.254.0.0', '169.254.255.255', '169.253.255.255', '169.255.0.0'],
  ['private', '172.16.0.0', '172.31.255.255', '172.15.255.255', '172.32.0.0'],
  ['reserved', '192.0.0.0', '192.0.0.255', '191.255.255.255', '192.0.1.0'],
  ['documentation', '192.0.2.0', '192.0.2.255', '192.0.1.255', '192.0.3.0'],
  ['translated', '192.88.99.0', '192.88.99.255', '192.88.98.255', '192.88.100.0'],
  ['private', '192.168.0.0', '192.168.255.255', '192.167.255.255', '192.169.0.0'],
  ['benchmark', '198.18.0.0', '198.19.255.255', '198.17.255.255', '198.20.0.0'],
  ['documentation', '198.51.100.0', '198.51.100.255', '198.51.99.255', '198.51.101.0'],
  ['documentation', '203.0.113.0', '203.0.113.255', '203.0.112.255', '203.0.114.0'],
  ['multicast', '224.0.0.0', '239.255.255.255', '223.255.255.255'],
  ['reserved', '240.0.0.0', '255.255.255.254'],
  ['broadcast', '255.255.255.255', '255.255.255.255'],
]

const V6_BLOCKS: readonly Block[] = [
  ['unspecified', '::', '::'],
  ['loopback', '::1', '::1'],
  ['reserved', '100::', '100::ffff:ffff:ffff:ffff'], // discard only, RFC 6666
  ['reserved', '200::', '1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', undefined, '2000::'],
  ['reserved', '2001:1::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff', '2000:ffff:ffff::', '2001:200::'],
  ['benchmark', '2001:2::', '2001:2:0:ffff:ffff:ffff:ffff:ffff'],
  ['documentation', '2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', '2001:db7:ffff::', '2001:db9::'],
  ['documentation', '3fff::', '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff', '3ffe:ffff:ffff::', '3fff:1000::'],
  ['reserved', '4000::', '5fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '3fff:ffff:ffff::'], // 5f00::/16 among them
  ['private', 'fc00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['link_local', 'fe80::', 'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['private', 'fec0::', 'feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['multicast', 'ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['translated', '2002:101:101::', '2002:101:101:ffff:ffff:ffff:ffff:ffff', '2001:ffff:ffff::', '2003::'],
  ['translated', '64:ff9b:1::', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff'],
]

test('each special block is closed from its first address to its last, and not one further', () => {
  for (const [reason, first, last, before, after] of [...V4_BLOCKS, ...V6_BLOCKS]) {
    assert.deepEqual(classifyAddress(first), { public: false, reason, canonical: first })
    assert.deepEqual(classifyAddress(last), { public: false, reason, canonical: last })
    for (const neighbour of [before, after]) {
      if (neighbour !== undefined) assert.equal(classifyAddress(neighbour).public, true, neighbour)
    }
  }
})

test('addresses that hand out machine credentials have a reason of their own', () => {
  const v4 = ['169.254.169.254', '169.254.170.2', '169.254.170.23', '100.100.100.200', '192.0.0.192', '168.63.129.16']
  for (const ip of [...v4, 'fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254']) {
    assert.deepEqual(classifyAddress(ip), { public: false, reason: 'metadata', canonical: ip })
  }
})

test('mapped IPv6 becomes the IPv4 address it is', () => {
  assert.deepEqual(classifyAddress('::ffff:8.8.8.8'), { public: true, canonical: '8.8.8.8' })
  assert.deepEqual(classifyAddress('::FFFF:0808:0808'), { public: true, canonical: '8.8.8.8' })
  const closed = { public: false, reason: 'loopback', canonical: '127.0.0.1' }
  assert.deepEqual(classifyAddress('::ffff:7f00:1'), closed)
})

/** Every form that carries an IPv4 address but is not mapped. */
function translations(word: number): string[] {
  const hex = (value: number): string => (value >>> 0).toString(16)
  const [high, low] = [hex(word >>> 16), hex(word & 0xffff)]
  const [notHigh, notLow] = [hex(~word >>> 16), hex(~word & 0xffff)]
  return [
    `::${high}:${low}`,
    `::ffff:0:${high}:${low}`,
    `64:ff9b::${high}:${low}`,
    `64:ff9b:1::${high}:${low}`,
    `2002:${high}:${low}::1`,
    `2001:0:4136:e378:8000:63bf:${notHigh}:${notLow}`,
    `2a00:1450::5efe:${high}:${low}`,
    `fe80::200:5efe:${high}:${low}`,
  ]
}

test('translated forms are closed whatever they carry', () => {
  fc.assert(
    fc.property(fc.oneof(fc.nat(0xffff_ffff), fc.constantFrom(0x0808_0808, 0x7f00_0001)), (word) => {
      for (const text of translations(word)) assert.equal(classifyAddress(text).public, false, text)
    }),
  )
})

test('a translated form that carries a closed address is closed for the same reason', () => {
  for (const ip of ['10.1.2.3', '127.0.0.1', '169.254.169.254', '192.168.0.1', '224.0.0.1']) {
    const plain = classifyAddress(ip)
    const word = parseIp(ip)?.words[0] ?? 0
    for (const text of translations(word).filter((each) => !each.startsWith('64:ff9b:1:'))) {
      const translated = classifyAddress(text)
      assert.deepEqual({ ...translated, canonical: '' }, { ...plain, canonical: '' }, text)
    }
  }
})

test('each embedding is found where its standard puts it', () => {
  const found = (text: string): string => {
    const address = parseIp(text)
    const inner = address && embeddedIpv4(address)
    return inner === undefined ? 'none' : `${inner.form} ${formatIp(inner.address)}`
  }
  assert.equal(found('::ffff:192.0.2.33'), 'mapped 192.0.2.33')
  assert.equal(found('::192.0.2.33'), 'compatible 192.0.2.33')
  assert.equal(found('::ffff:0:192.0.2.33'), 'siit 192.0.2.33')
  assert.equal(found('64:ff9b::192.0.2.33'), 'nat64 192.0.2.33') // RFC 6052 section 2.4
  assert.equal(found('2002:c000:221::'), '6to4 192.0.2.33')
  assert.equal(found('2001:0:4136:e378:8000:63bf:3fff:fdd2'), 'teredo 192.0.2.45')
  assert.equal(found('2a00::5efe:192.0.2.33'), 'isatap 192.0.2.33')
  for (const text of ['::', '::1', '192.0.2.33', '2a00::1', '64:ff9b:1::192.0.2.33']) assert.equal(found(text), 'none')
})

test('what is no strict literal is closed, as it stands', () => {
  for (const text of [
    '',
    'localhost',
    '127.1',
    '0x8080808',
    '134744072',
    '010.8.8.8',
    'fe80::1%eth0',
    '[::1]',
    '8.8.8.8.',
  ]) {
    assert.deepEqual(classifyAddress(text), { public: false, reason: 'invalid', canonical: text })
  }
})

test('the canonical form of a class is a fixed point', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.ipV4(),
        fc.ipV6(),
        fc.nat(0xffff_ffff).map((word) => formatIp(ipv4(word))),
      ),
      (ip) => {
        const once = classifyAddress(ip)
        assert.deepEqual(classifyAddress(once.canonical), once)
      },
    ),
  )
})
