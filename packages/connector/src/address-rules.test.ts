import assert from 'node:assert/strict'
import { BlockList, isIPv4 } from 'node:net'
import test from 'node:test'
import { HawserError } from '@hawser/core'
import fc from 'fast-check'
import { compileAddressRules, parseCidr } from './address-rules.ts'
import { canonicalAddress } from './target-host.ts'

interface Row {
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
  readonly yes?: readonly string[]
  readonly no?: readonly string[]
}

const rows: Readonly<Record<string, Row>> = {
  'no lists allow everything': { yes: ['10.0.0.1', '127.0.0.1', '8.8.8.8', '::1', 'fd00::1', 'fe80::1%eth0'] },
  'the unspecified addresses are refused even without lists': { no: ['0.0.0.0', '0.0.0.1', '::'] },
  'the unspecified addresses are refused even where allowed': { allow: ['0.0.0.0/0', '::/0'], no: ['0.0.0.0', '::'] },
  'deny takes its range and nothing beside it': {
    deny: ['10.0.0.0/8'],
    no: ['10.0.0.0', '10.255.255.255'],
    yes: ['9.255.255.255', '11.0.0.0', 'fd00::1'],
  },
  'with an allow list all else is refused': {
    allow: ['10.1.0.0/16'],
    yes: ['10.1.0.0', '10.1.255.255'],
    no: ['10.0.255.255', '10.2.0.0', '127.0.0.1', '::1'],
  },
  'deny wins over allow': {
    allow: ['10.0.0.0/8'],
    deny: ['10.5.0.0/16'],
    yes: ['10.4.0.1'],
    no: ['10.5.0.1', '192.168.0.1'],
  },
  'deny wins over the same range in allow': { allow: ['10.0.0.0/8'], deny: ['10.0.0.0/8'], no: ['10.0.0.1'] },
  'a single address is a range of one': { allow: ['10.0.0.7'], yes: ['10.0.0.7'], no: ['10.0.0.6', '10.0.0.8'] },
  'an IPv6 range': { allow: ['fd00::/8'], yes: ['fd12::1', 'fdff::ffff'], no: ['fc00::1', 'fe00::1', '10.0.0.1'] },
  'a prefix inside a byte': { deny: ['172.16.0.0/12'], no: ['172.16.0.1', '172.31.255.255'], yes: ['172.32.0.0'] },
  'a zone does not get round a rule': { deny: ['fe80::/10'], no: ['fe80::1%eth0', 'fe80::1'], yes: ['fec0::1'] },
  'all of IPv4 is not all of IPv6': { deny: ['0.0.0.0/0'], no: ['1.2.3.4'], yes: ['2001:db8::1'] },
  'all of IPv6 is not all of IPv4': { deny: ['::/0'], no: ['2001:db8::1'], yes: ['1.2.3.4'] },
  'a range of mapped addresses is the IPv4 range': {
    deny: ['::ffff:10.0.0.0/104'],
    no: ['10.9.9.9'],
    yes: ['11.0.0.0'],
  },
  'deny sees the address inside NAT64, 6to4 and IPv4-compatible ones': {
    deny: ['10.0.0.0/8'],
    no: ['64:ff9b::a00:1', '2002:a00:1::', '2002:a00:1:7::9', '::a00:1'],
    yes: ['64:ff9b::b00:1', '2002:b00:1::'],
  },
  'allow does not': { allow: ['10.0.0.0/8'], no: ['64:ff9b::a00:1', '2002:a00:1::', '::a00:1'] },
}

for (const [title, { allow = [], deny = [], yes = [], no = [] }] of Object.entries(rows)) {
  test(title, () => {
    const rules = compileAddressRules({ allow, deny })
    for (const ip of yes) assert.equal(rules(ip), undefined, ip)
    for (const ip of no) assert.equal(typeof rules(ip), 'string', ip)
  })
}

test('a refusal says which entry it was', () => {
  const rules = compileAddressRules({ allow: ['10.0.0.0/8'], deny: ['10.5.0.0/16'] })
  assert.equal(rules('10.5.0.1'), 'is denied by 10.5.0.0/16 on this connector')
  assert.equal(rules('11.0.0.1'), 'is not allowed on this connector')
})

const bad: readonly string[] = [
  '',
  '10',
  '10/8',
  '10.0.0/8',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  '10.0.0.0/ 8',
  ' 10.0.0.0/8',
  '010.0.0.0/8',
  '0x0a.0.0.0/8',
  'fd00::/129',
  'fe80::%eth0/64',
  '[fd00::]/8',
  '::ffff/x',
  'localhost',
  'localhost/8',
  '10.0.0.0-10.0.0.9',
]

for (const text of bad) {
  test(`${JSON.stringify(text)} is no CIDR`, () => {
    assert.throws(
      () => parseCidr(text, '--allow'),
      (error: unknown) =>
        HawserError.is(error, 'options_invalid') &&
        error.message.startsWith('--allow: ') &&
        error.message.includes(JSON.stringify(text)) &&
        error.message.includes('10.0.0.0/8'),
    )
  })
}

test('bits after the prefix are refused with the range that was likely meant', () => {
  const message = (text: string): string => {
    try {
      return parseCidr(text, '--deny').text
    } catch (error) {
      return error instanceof Error ? error.message : ''
    }
  }
  assert.equal(message('10.0.0.1/8'), '--deny: "10.0.0.1/8" has bits after its prefix, use 10.0.0.0/8')
  assert.equal(message('fd00::1/8'), '--deny: "fd00::1/8" has bits after its prefix, use fd00::/8')
})

test('a bad entry is named by its place', () => {
  assert.throws(() => compileAddressRules({ allow: ['10.0.0.0/8', 'x'], deny: [] }), /^HawserError: allow\[1\]: /)
  assert.throws(() => compileAddressRules({ allow: [], deny: ['x'] }), /^HawserError: deny\[0\]: /)
})

test('the verdict agrees with net.BlockList for any lists and addresses', () => {
  const ipv4 = fc.ipV4()
  const ipv6 = fc
    .array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
    .map(([first = 0, ...rest]) => [first | 0x2400, ...rest].map((word) => word.toString(16)).join(':')) // nothing embedded
    .filter((ip) => !ip.startsWith('2002'))
  // Few distinct leading bits, so that ranges and addresses meet often.
  const near = fc.tuple(fc.constantFrom(10, 172), fc.nat(3), fc.nat(255), fc.nat(255)).map((parts) => parts.join('.'))
  const address = fc.oneof(ipv4, ipv6, near)
  const range = fc.tuple(address, fc.nat(125)).map(([ip, wanted]) => {
    // BlockList takes ::/0 for IPv4 as well, Hawser does not: leave such wide ranges out.
    const bits = isIPv4(ip) ? wanted % 33 : wanted + 3
    try {
      return parseCidr(`${ip}/${bits}`, 'entry').text
    } catch (error) {
      return /use (\S+)$/.exec(String(error))?.[1] ?? ip // the network that was meant
    }
  })
  const list = fc.array(range, { maxLength: 5 })
  const blockList = (entries: readonly string[]): BlockList => {
    const built = new BlockList()
    for (const entry of entries) {
      const [ip = '', bits] = entry.split('/')
      const family = isIPv4(ip) ? 'ipv4' : 'ipv6'
      built.addSubnet(ip, Number(bits ?? (isIPv4(ip) ? 32 : 128)), family)
    }
    return built
  }
  fc.assert(
    fc.property(list, list, fc.array(address, { minLength: 1, maxLength: 10 }), (allow, deny, targets) => {
      const rules = compileAddressRules({ allow, deny })
      const allowed = blockList(allow)
      const denied = blockList(deny)
      for (const target of targets) {
        const ip = canonicalAddress(target) ?? ''
        if (ip.startsWith('0.')) continue // always refused
        const family = isIPv4(ip) ? 'ipv4' : 'ipv6'
        const expected = !denied.check(ip, family) && (allow.length === 0 || allowed.check(ip, family))
        assert.equal(rules(ip) === undefined, expected, `${ip} allow=${allow.join()} deny=${deny.join()}`)
      }
    }),
    { numRuns: 2000 },
  )
})
