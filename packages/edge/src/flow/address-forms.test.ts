import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import type { Dialer } from '@hawser/core'
import { publicEgress } from '@hawser/policy'
import type { Resolve } from '../name-resolver.ts'
import { FakeCall, fakeFlow, PUBLIC } from './fake-flow.ts'
import { runFlow } from './run-flow.ts'

/** What the fake resolver of the table knows. A list of lists is what it says at the first look-up, the second, … */
const ZONE: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'private.example': [['10.0.0.1']],
  'loopback.example': [['127.0.0.1']],
  'loopback6.example': [['::1']],
  'metadata.example': [['169.254.169.254']],
  'metadata6.example': [['fd00:ec2::254']],
  'cgnat.example': [['100.64.0.1']],
  'unspecified.example': [['0.0.0.0']],
  'unspecified6.example': [['::']],
  'linklocal.example': [['fe80::1%eth0']],
  'ula.example': [['fd12:3456::1']],
  'mapped.example': [['::ffff:10.0.0.1']],
  'compatible.example': [['::10.0.0.1']],
  'nat64.example': [['64:ff9b::a00:1']],
  '6to4.example': [['2002:a00:1::']],
  'teredo.example': [['2001:0:4136:e378:8000:63bf:f5ff:fffe']],
  'all-private.example': [['10.0.0.1', '192.168.0.1', 'fd00::1', '127.0.0.1']],
  'odd-answer.example': [['0x7f000001'], ['2130706433']],
  'garbage.example': [['', 'localhost', '8.8.8.8.8', '8.8.8.8:80', '8.8.8.8/32']],
  'nothing.example': [[]],
  'rebinds-late.example': [['127.0.0.1'], ['8.8.8.8']],
  'edge.example': [['203.0.114.9']],
  'edge-mapped.example': [['::ffff:203.0.114.9']],
  '127.0.0.1.nip.example': [['127.0.0.1']],
  db: [['10.0.0.5']],
  'public.example': [['8.8.8.8']],
  'public6.example': [['2606:4700:4700::1111']],
  'both.example': [['8.8.8.8', '2606:4700:4700::1111']],
  'mixed.example': [['10.0.0.1', '8.8.8.8', '::1', 'fe80::1%eth0']],
  'mapped-public.example': [['::ffff:8.8.8.8']],
  'rebinds.example': [['8.8.8.8'], ['127.0.0.1']],
  'xn--bcher-kva.example': [['8.8.8.8']],
  '_srv.under_score.example': [['8.8.8.8']],
}

/** Where the pretended edge listens, and the addresses of its machine. */
const policy = publicEgress({
  ownListeners: () => [
    { host: '127.0.0.1', port: 7843 },
    { host: '::', port: 8443 },
  ],
  localAddresses: () => ['203.0.114.9', '10.0.0.9', '::1', '127.0.0.1'],
})

interface Outcome {
  readonly dialled: readonly string[]
  readonly lookUps: number
  readonly code: string | undefined
}

/** What the dialer that only writes down what it is given fails with. */
const WRITTEN_DOWN = 'written down, not dialled'

/** The whole way of one call through the nine steps, with a resolver and a dialer that write down what they are asked. */
async function callOut(host: string, port: number): Promise<Outcome> {
  const dialled: string[] = []
  let lookUps = 0
  const resolve: Resolve = (name) => {
    const answers = ZONE[name] ?? assert.fail(`unexpected look-up of ${name}`)
    lookUps += 1
    return Promise.resolve(answers[Math.min(lookUps, answers.length) - 1] ?? [])
  }
  const directDialer = (addresses: readonly string[]): Dialer => ({
    dial: (target) => {
      for (const address of addresses) dialled.push(`${address} ${target.port}`)
      return Promise.reject(new HawserError('connection_refused', WRITTEN_DOWN))
    },
  })
  const call = new FakeCall(host, port)
  const { services, binding } = fakeFlow({ network: PUBLIC, services: { egress: policy, resolve, directDialer }, call })
  await runFlow(services, binding, call)
  const code = call.refused?.message === WRITTEN_DOWN ? undefined : call.refused?.code
  return { dialled, lookUps, code }
}

const IP = 'destination_ip_prohibited'
const INVALID = 'address_invalid'

/** Never dialled: by kind, the code, and the forms (`host` at port 443, or `host port`). */
const REFUSED: readonly (readonly [kind: string, code: string, ...forms: readonly string[]])[] = [
  ['dotted decimal', IP, '127.0.0.1', '127.255.255.254', '10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255'],
  ['dotted decimal', IP, '192.168.0.1', '192.168.255.255', '0.0.0.0', '0.1.2.3', '100.64.0.1', '100.127.255.255'],
  [
    'link-local and metadata',
    IP,
    '169.254.0.1',
    '169.254.169.254',
    '169.254.170.2',
    '100.100.100.200',
    '168.63.129.16',
  ],
  [
    'registry',
    IP,
    '192.0.0.1',
    '192.0.0.170',
    '192.0.2.1',
    '192.88.99.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
  ],
  ['registry', IP, '203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.254', '255.255.255.255'],
  ['decimal number', IP, '2130706433', '167772161', '3232235521', '2852039166', '0', '4294967295'],
  ['octal', IP, '0177.0.0.1', '017700000001', '012.0.0.1', '0300.0250.0.1', '0251.0376.0251.0376', '0000177.0.0.1'],
  ['hexadecimal', IP, '0x7f.0.0.1', '0x7f000001', '0X7F.1', '0xa9fea9fe', '0xc0.0xa8.0x0.0x1', '0xA000001'],
  ['short', IP, '127.1', '127.0.1', '10.1', '192.168.1', '169.254.43518', '0x7f.1', '0177.1', '1.2.3.4.localhost'],
  ['IPv6', IP, '::1', '[::1]', '::', '[::]', '0:0:0:0:0:0:0:1', '[0000:0000:0000:0000:0000:0000:0000:0001]'],
  [
    'IPv6',
    IP,
    'fc00::1',
    'fd00:ec2::254',
    'fd12:3456:789a::1',
    'fe80::1',
    '[febf::1]',
    'fec0::1',
    'ff02::1',
    'ff0e::1',
  ],
  [
    'IPv6 registry',
    IP,
    '100::1',
    '2001:db8::1',
    '2001:2::1',
    '2001:10::1',
    '2001:20::1',
    '3fff::1',
    '5f00::1',
    '200::1',
  ],
  ['IPv6 unassigned', IP, '4000::1', '8000::1', 'c000::1', 'f000::1', '1::1', '1fff::1'],
  ['mapped', IP, '::ffff:127.0.0.1', '[::ffff:7f00:1]', '::FFFF:10.0.0.1', '0:0:0:0:0:ffff:192.168.0.1'],
  ['mapped', IP, '::ffff:a9fe:a9fe', '[::ffff:0.0.0.0]', '::ffff:100.64.0.1'],
  ['compatible', IP, '::127.0.0.1', '::7f00:1', '::10.0.0.1', '[::8.8.8.8]'],
  ['SIIT', IP, '::ffff:0:127.0.0.1', '::ffff:0:a00:1', '::ffff:0:8.8.8.8'],
  [
    'NAT64',
    IP,
    '64:ff9b::127.0.0.1',
    '64:ff9b::a00:1',
    '[64:ff9b::169.254.169.254]',
    '64:ff9b::8.8.8.8',
    '64:ff9b:1::1',
  ],
  ['6to4', IP, '2002:7f00:1::', '2002:a00:1::1', '2002:c0a8:1::1', '2002:a9fe:a9fe::1', '2002:808:808::'],
  ['Teredo', IP, '2001::1', '2001:0:4136:e378:8000:63bf:f5ff:fffe', '2001:0:808:808::f7f7:f7f7'],
  ['ISATAP', IP, 'fe80::5efe:10.0.0.1', '2a00:1450::5efe:10.0.0.1', '2a00:1450::200:5efe:127.0.0.1'],
  ['zone id', INVALID, 'fe80::1%eth0', '[fe80::1%25eth0]', '[::1%lo]', '::1%1', '127.0.0.1%lo'],
  ['trailing dot', INVALID, '127.0.0.1.', '127.1.', '2130706433.', '[::1].', '127.0.0.1..'],
  ['odd digits', INVALID, '１２７.0.0.1', '①②⑦.0.0.1', '127。0。0。1', '٠.0.0.0', 'ｌocalhost'],
  ['escapes', INVALID, '%31%32%37.0.0.1', '127%2e0%2e0%2e1', 'localhost%00', '127.0.0.1%20'],
  ['ambiguous or overflowing', INVALID, '127.0.0.08', '256.0.0.1', '127.0.0.256', '4294967296', '127.16777216', '0x'],
  ['ambiguous or overflowing', INVALID, '1.2.3.4.5', '0x17f000001', '040000000000', 'a.example.127', '127..1', '.127'],
  [
    'not a host',
    INVALID,
    '',
    ' ',
    '127.0.0.1 ',
    '\t10.0.0.1',
    '[127.0.0.1]',
    'user@10.0.0.1',
    '10.0.0.1/',
    '10.0.0.1:80',
  ],
  [
    'not a host',
    INVALID,
    '::ffff:127.0.0.01',
    '[::ffff:0177.0.0.1]',
    ':::1',
    '[::1',
    '[::1]:80',
    '+127.0.0.1',
    'a..b',
    '.',
  ],
  ['reserved name', IP, 'localhost', 'LOCALHOST', 'localhost.', 'LocalHost.', 'a.localhost', 'a.b.LOCALHOST.'],
  [
    'reserved name',
    'destination_not_found',
    'hawser',
    'flows.hawser',
    'FLOWS.HAWSER.',
    '127.0.0.1.c-1-00000000000000000000000000000000.hawser',
  ],
  ['name', IP, 'private.example', 'loopback.example', 'loopback6.example', 'metadata.example', 'metadata6.example'],
  ['name', IP, 'cgnat.example', 'unspecified.example', 'unspecified6.example', 'linklocal.example', 'ula.example'],
  ['name', IP, 'mapped.example', 'compatible.example', 'nat64.example', '6to4.example', 'teredo.example', 'db', 'DB.'],
  [
    'name',
    IP,
    'all-private.example',
    'odd-answer.example',
    'garbage.example',
    '127.0.0.1.nip.example',
    'PRIVATE.Example.',
  ],
  ['name', IP, 'rebinds-late.example'],
  ['name without address', 'dns_error', 'nothing.example'],
  ['port', 'destination_port_prohibited', '8.8.8.8 25', 'public.example 25', '127.0.0.1 25', '::1 25'],
  ['port', INVALID, '8.8.8.8 0', 'public.example 0', '8.8.8.8 65536', '8.8.8.8 -1'],
  ['own listener', 'proxy_loop_detected', '127.0.0.1 7843', '127.1 7843', '::ffff:127.0.0.1 7843', '0.0.0.0 7843'],
  [
    'own listener',
    'proxy_loop_detected',
    '203.0.114.9 8443',
    '[::1] 8443',
    '10.0.0.9 8443',
    '127.8.8.8 8443',
    ':: 8443',
  ],
  ['own listener', 'proxy_loop_detected', 'edge.example 8443', 'edge-mapped.example 8443', '::ffff:203.0.114.9 8443'],
]

const G = '8.8.8.8'
const C6 = '2606:4700:4700::1111'

/** Dialled: the form, and the addresses it is dialled as. */
const DIALLED: readonly (readonly [form: string, ...addresses: readonly string[]])[] = [
  ['8.8.8.8', G],
  ['134744072', G],
  ['0x08080808', G],
  ['010.010.010.010', G],
  ['8.8.2056', G],
  ['8.526344', G],
  ['0x8.010.8.0X8', G],
  ['::ffff:8.8.8.8', G],
  ['[::ffff:808:808]', G],
  ['0:0:0:0:0:FFFF:8.8.8.8', G],
  ['1.0.0.0', '1.0.0.0'],
  ['9.255.255.255', '9.255.255.255'],
  ['11.0.0.0', '11.0.0.0'],
  ['100.63.255.255', '100.63.255.255'],
  ['100.128.0.0', '100.128.0.0'],
  ['126.255.255.255', '126.255.255.255'],
  ['128.0.0.0', '128.0.0.0'],
  ['169.253.255.255', '169.253.255.255'],
  ['169.255.0.0', '169.255.0.0'],
  ['172.15.255.255', '172.15.255.255'],
  ['172.32.0.0', '172.32.0.0'],
  ['191.255.255.255', '191.255.255.255'],
  ['192.0.1.0', '192.0.1.0'],
  ['192.0.3.0', '192.0.3.0'],
  ['192.167.255.255', '192.167.255.255'],
  ['192.169.0.0', '192.169.0.0'],
  ['198.17.255.255', '198.17.255.255'],
  ['198.20.0.0', '198.20.0.0'],
  ['203.0.112.255', '203.0.112.255'],
  ['203.0.114.0', '203.0.114.0'],
  ['223.255.255.255', '223.255.255.255'],
  ['192.175.48.1', '192.175.48.1'], // AS112: special purpose, but globally reachable
  ['2606:4700:4700::1111', C6],
  ['[2606:4700:4700:0:0::1111]', C6],
  ['2606:4700:4700:0000:0000:0000:0000:1111', C6],
  ['2001:200::1', '2001:200::1'],
  ['2001:4860:4860::8888', '2001:4860:4860::8888'],
  ['2001:DB9::1', '2001:db9::1'],
  ['2003::1', '2003::1'],
  ['3fff:1000::1', '3fff:1000::1'],
  ['public.example', G],
  ['PUBLIC.Example', G],
  ['public.example.', G],
  ['public6.example', C6],
  ['both.example', G, C6],
  ['mixed.example', G],
  ['mapped-public.example', G],
  ['rebinds.example', G],
  ['xn--bcher-kva.example', G],
  ['_srv.under_score.example', G],
  ['8.8.8.8 1', G],
  ['8.8.8.8 24', G],
  ['8.8.8.8 65535', G],
  ['203.0.114.9 8444', '203.0.114.9'],
  ['edge.example 443', '203.0.114.9'],
]

/** A form is `host` or `host port`; blanks that belong to the host are followed by no number. */
function split(form: string): { host: string; port: number } {
  const match = /^(.*) (-?\d+)$/s.exec(form)
  return match === null ? { host: form, port: 443 } : { host: match[1] ?? '', port: Number(match[2]) }
}

const forms = REFUSED.flatMap(([kind, code, ...each]) => each.map((form) => ({ kind, code, form })))

test(`none of ${forms.length} forms is dialled`, async () => {
  assert.ok(forms.length >= 120)
  assert.equal(new Set(forms.map(({ form }) => form)).size, forms.length, 'a form is listed twice')
  for (const { kind, code, form } of forms) {
    const { host, port } = split(form)
    const outcome = await callOut(host, port)
    assert.deepEqual(outcome.dialled, [], `${kind}: ${form}`)
    assert.equal(outcome.code, code, `${kind}: ${form}`)
    assert.ok(outcome.lookUps <= 1, `${kind}: ${form} was looked up again`)
  }
})

test(`each of ${DIALLED.length} forms is dialled, at its addresses and no others`, async () => {
  assert.ok(DIALLED.length >= 30)
  for (const [form, ...addresses] of DIALLED) {
    const { host, port } = split(form)
    const outcome = await callOut(host, port)
    const expected = addresses.map((address) => `${address} ${port}`)
    assert.deepEqual(outcome.dialled, expected, form)
    assert.equal(outcome.code, undefined, form)
    assert.ok(outcome.lookUps <= 1, `${form} was looked up again`)
  }
})
