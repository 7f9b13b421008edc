import assert from 'node:assert/strict'
import { BlockList, isIPv4 } from 'node:net'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import fc from 'fast-check'
import { compileCidrs } from './cidrs.ts'
import { canonicalAddress } from './embedded.ts'
import { formatIp, parseIp } from './ip-address.ts'

test('a compiled list holds the addresses of its blocks and no others', () => {
  const inside = compileCidrs(['10.0.0.0/8', '192.168.1.1', 'fd00::/8', '2001:db8::/32'], '--allow')
  for (const ip of ['10.0.0.0', '10.255.255.255', '192.168.1.1', 'fd12::1', '2001:db8:ffff::1', '::ffff:10.1.2.3']) {
    assert.equal(inside(ip), true, ip)
  }
  for (const ip of [
    '9.255.255.255',
    '11.0.0.0',
    '192.168.1.2',
    'fe00::',
    '2001:db9::',
    '::ffff:11.0.0.1',
    '::10.0.0.1',
  ]) {
    assert.equal(inside(ip), false, ip)
  }
})

test('an empty list holds nothing, a zero prefix the whole of its family', () => {
  assert.equal(compileCidrs([], '--allow')('10.0.0.1'), false)
  const four = compileCidrs(['0.0.0.0/0'], '--allow')
  assert.deepEqual([four('8.8.8.8'), four('::ffff:8.8.8.8'), four('2001::')], [true, true, false])
  const six = compileCidrs(['::/0'], '--allow')
  assert.deepEqual([six('8.8.8.8'), six('::ffff:8.8.8.8'), six('2001::')], [false, false, true])
})

test('a block of the mapped form is the IPv4 block it stands for', () => {
  const inside = compileCidrs(['::ffff:10.0.0.0/104', '::ffff:192.168.1.1'], '--deny')
  assert.deepEqual(['10.9.9.9', '::ffff:10.9.9.9', '192.168.1.1', '11.0.0.1'].map(inside), [true, true, true, false])
  assert.equal(compileCidrs(['::ffff:0:0/96'], '--deny')('1.2.3.4'), true)
})

test('every bad entry is refused by name, with what is allowed', () => {
  const bad = [
    '',
    '/',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10/8',
    '10.0.0/8',
    'x',
  ]
  for (const entry of [
    ...bad,
    '010.0.0.0/8',
    '0xa.0.0.0/8',
    'fd00::/129',
    'fe80::%1/10',
    '[fd00::]/8',
    ' 10.0.0.0/8',
  ]) {
    assert.throws(
      () => compileCidrs(['192.168.0.0/16', entry], '--deny'),
      (error) =>
        HawserError.is(error, 'options_invalid') &&
        error.message.startsWith('--deny: expected an address block such as 10.0.0.0/8') &&
        error.message.includes(`got ${JSON.stringify(entry)}`),
      entry,
    )
  }
})

test('bits past the prefix are refused with both readings', () => {
  assert.throws(() => compileCidrs(['10.1.2.3/8'], '--allow'), {
    code: 'options_invalid',
    message: /did you mean 10\.0\.0\.0\/8 or 10\.1\.2\.3\?$/,
  })
  assert.throws(() => compileCidrs(['fd00::1/64'], '--allow'), { message: /did you mean fd00::\/64 or fd00::1\?$/ })
  assert.throws(() => compileCidrs(['1.0.0.0/0'], '--allow'), {
    message: /did you mean 0\.0\.0\.0\/0 or 1\.0\.0\.0\?$/,
  })
})

test('asking about something that is no address is an error, not a no', () => {
  const inside = compileCidrs(['10.0.0.0/8'], '--deny')
  for (const text of ['', 'db.internal', '10.1', '012.0.0.1', 'fe80::1%eth0', '[::1]']) {
    assert.throws(() => inside(text), { code: 'address_invalid' }, text)
  }
})

/** One list per family: BlockList alone would also find IPv4 addresses in `::/0`. */
class Oracle {
  readonly #lists = { ipv4: new BlockList(), ipv6: new BlockList() }

  add(ip: string, prefix: number): void {
    const mapped = canonicalOf(ip) !== canonicalOf(ip, 'as written')
    const family = isIPv4(canonicalOf(ip)) ? 'ipv4' : 'ipv6'
    this.#lists[family].addSubnet(canonicalOf(ip), mapped ? prefix - 96 : prefix, family)
  }

  check(ip: string): boolean {
    const canonical = canonicalOf(ip)
    const family = isIPv4(canonical) ? 'ipv4' : 'ipv6'
    return this.#lists[family].check(canonical, family)
  }
}

function canonicalOf(ip: string, mapped?: 'as written'): string {
  const address = parseIp(ip)
  assert.ok(address, ip)
  return formatIp(mapped === undefined ? canonicalAddress(address) : address)
}

test('random lists agree with net.BlockList on literals of both families', () => {
  const ip = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.ipV4().map((v4) => `::ffff:${v4}`),
  )
  const share = fc.integer({ min: 1, max: 32 })
  fc.assert(
    fc.property(fc.array(fc.tuple(ip, share), { maxLength: 30 }), fc.array(ip), (list, asked) => {
      const oracle = new Oracle()
      const entries: string[] = []
      for (const [each, length] of list) {
        const prefix = isIPv4(each) ? length : 96 + length
        entries.push(networkOf(each, prefix))
        oracle.add(each, prefix)
      }
      const inside = compileCidrs(entries, '--allow')
      for (const candidate of [...asked, ...list.map(([each]) => each)]) {
        assert.equal(inside(candidate), oracle.check(candidate), candidate)
      }
    }),
  )
})

/** The entry with its host bits cleared, read off the hint of the refusal. */
function networkOf(ip: string, prefix: number): string {
  try {
    compileCidrs([`${ip}/${prefix}`], 'probe')
    return `${ip}/${prefix}`
  } catch (error) {
    const hint = /did you mean (\S+) or/.exec(HawserError.is(error) ? error.message : '')
    return hint?.[1] ?? assert.fail(String(error))
  }
}
