import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import fc from 'fast-check'
import { publicEgress } from './egress.ts'
import { formatIp, ipv4 } from './ip-address.ts'
import { EgressRefusal, resolveEgress } from './resolve-egress.ts'
import type { EgressRequest, Resolve, ResolvedEgress } from './resolve-egress.ts'

const policy = publicEgress({ ownListeners: () => [{ host: '203.0.114.9', port: 7000 }], localAddresses: () => [] })

const unasked: Resolve = (name) => assert.fail(`${name} was looked up`)
const answering =
  (...addresses: string[]): Resolve =>
  () =>
    Promise.resolve(addresses)

function call(host: string, resolve: Resolve = unasked, rest: Partial<EgressRequest> = {}): Promise<ResolvedEgress> {
  return resolveEgress({ host, port: 443, resolve, policy, ...rest })
}

test('a public literal is dialled as its canonical form, without a look-up', async () => {
  const verdict = { allowed: true, rule: 'public' }
  assert.deepEqual(await call('0x08.8.2056'), { host: '8.8.8.8', addresses: ['8.8.8.8'], verdict })
  assert.deepEqual(await call('[::ffff:8.8.8.8]'), { host: '8.8.8.8', addresses: ['8.8.8.8'], verdict })
  assert.deepEqual(await call('[2606:4700:4700:0::1111]'), {
    host: '2606:4700:4700::1111',
    addresses: ['2606:4700:4700::1111'],
    verdict,
  })
})

test('a name is looked up in lower case, without its trailing dot', async () => {
  const asked: string[] = []
  const resolve: Resolve = (name) => {
    asked.push(name)
    return Promise.resolve(['8.8.4.4'])
  }
  assert.equal((await call('DNS.Example.', resolve)).host, 'dns.example')
  assert.deepEqual(asked, ['dns.example'])
})

test('a resolver that changes its mind between look-ups is asked once, and what it said then is dialled', async () => {
  let asked = 0
  const rebinding: Resolve = () => {
    asked += 1
    return Promise.resolve(asked % 2 === 1 ? ['8.8.8.8'] : ['127.0.0.1'])
  }
  assert.deepEqual((await call('rebind.example', rebinding)).addresses, ['8.8.8.8'])
  assert.equal(asked, 1)
  await assert.rejects(call('rebind.example', rebinding), { code: 'destination_ip_prohibited' })
  assert.equal(asked, 2)
})

test('of a mixed answer only the public addresses are left', async () => {
  const mixed = answering('127.0.0.1', '::1', '1.1.1.1', '::ffff:10.0.0.1', 'fe80::1%eth0', '2606:4700::1')
  assert.deepEqual((await call('mixed.example', mixed)).addresses, ['1.1.1.1', '2606:4700::1'])
})

test('a refusal carries the verdict, and its message tells the rule but no address', async () => {
  const refusal = await call('db.internal', answering('10.66.77.88')).catch((error: unknown) => error)
  assert.ok(refusal instanceof EgressRefusal)
  assert.ok(HawserError.is(refusal, 'destination_ip_prohibited'))
  assert.deepEqual(refusal.verdict, { allowed: false, rule: 'blocked-destinations/private' })
  assert.equal(refusal.message, 'db.internal:443 may not be reached from here (blocked-destinations/private)')
})

test('port, name and loop are refused with their own codes, before any look-up where that is possible', async () => {
  await assert.rejects(call('smtp.example', unasked, { port: 25 }), {
    code: 'destination_port_prohibited',
    verdict: { allowed: false, rule: 'blocked-port/25' },
  })
  await assert.rejects(call('a.example', unasked, { port: 0 }), { code: 'address_invalid' })
  for (const name of ['localhost', 'LOCALHOST.', 'x.localhost', 'flows.hawser']) {
    await assert.rejects(call(name), { code: 'destination_ip_prohibited' }, name)
  }
  await assert.rejects(call('edge.example', answering('::ffff:203.0.114.9'), { port: 7000 }), {
    code: 'proxy_loop_detected',
    verdict: { allowed: false, rule: 'own-listener' },
  })
})

test('text that is no host is refused before anything else', async () => {
  await assert.rejects(call('fe80::1%eth0', unasked, { port: 25 }), { code: 'address_invalid' })
})

test('a look-up that fails has the code of its failure', async () => {
  const failing =
    (code: string): Resolve =>
    () =>
      Promise.reject(Object.assign(new Error('query'), { code }))
  await assert.rejects(call('a.example', failing('ENOTFOUND')), { code: 'dns_error' })
  await assert.rejects(call('a.example', failing('ETIMEOUT')), { code: 'dns_timeout' })
  await assert.rejects(call('a.example', answering()), { code: 'dns_error' })
  const own: Resolve = () => Promise.reject(new HawserError('dns_timeout', 'slow'))
  await assert.rejects(call('a.example', own), { code: 'dns_timeout', message: 'slow' })
})

test('the caller can give up before and during the look-up', async () => {
  await assert.rejects(call('a.example', unasked, { signal: AbortSignal.abort() }), { code: 'connection_aborted' })
  const controller = new AbortController()
  const late: Resolve = (_name, signal) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(['8.8.8.8']), { once: true }))
  const pending = call('a.example', late, { signal: controller.signal })
  controller.abort()
  await assert.rejects(pending, { code: 'connection_aborted' })
})

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

test('every spelling of a closed IPv4 address is refused, typed or resolved', async () => {
  const spelling = fc.oneof(
    legacySpelling,
    ipv6Spelling,
    ipv6Spelling.map((text) => `[${text}]`),
  )
  await fc.assert(
    fc.asyncProperty(spelling, async (text) => {
      await assert.rejects(call(text), { code: 'destination_ip_prohibited' }, text)
      await assert.rejects(call('name.example', answering(text)), { code: 'destination_ip_prohibited' }, text)
    }),
    { numRuns: 1_000 },
  )
})
