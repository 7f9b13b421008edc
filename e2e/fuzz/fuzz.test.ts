import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { HawserError, parseAuthority } from '@hawser/core'
import { classifyAddress, parseHost } from '@hawser/policy'
import { parseAddress } from '../../packages/workers/src/runtime/address.ts'
import { runBatch } from './batch.ts'
import { ask, fuzz } from './fuzz.ts'
import type { FuzzTarget } from './target.ts'
import { authorityTarget } from './targets/authority.ts'
import { connectHeadTarget, readInChunks } from './targets/connect-head.ts'
import { classifyTarget, hostTarget } from './targets/host.ts'
import { TARGETS } from './targets/index.ts'
import { workerAddressTarget, workerObjectTarget } from './targets/worker-address.ts'

const LIMIT = { timeout: 60_000 }
/** In CI; by hand: `npm run fuzz -- --minutes 10`. */
const CI_MS = 4_000
/** Enough for every planted fault to be found with any seed. */
const PLANTED_RUNS = 20_000

test('nothing is found in a few seconds', LIMIT, async (t) => {
  const seed = randomInt(2 ** 31)
  const report = await fuzz({ seed, durationMs: CI_MS })
  t.diagnostic(`seed ${seed}: ${JSON.stringify(report.runs)}`)
  assert.deepEqual(report.findings, [], `npm run fuzz -- --seed ${seed}`)
  for (const { name } of TARGETS) assert.ok((report.runs[name] ?? 0) > 0, name)
})

const NAME = { kind: 'name', name: 'x' } as const

/** Parsers with a fault each, which their oracle must see. */
const PLANTED: readonly (readonly [fault: string, target: FuzzTarget])[] = [
  [
    'an authority whose capability may be upper case',
    authorityTarget((text) =>
      parseAuthority(text.replace(/[A-F](?=[0-9a-fA-F]*\.hawser)/g, (digit) => digit.toLowerCase())),
    ),
  ],
  ['an authority that drops what follows a line', authorityTarget((text) => parseAuthority(text.split('\n')[0] ?? ''))],
  ['an authority that crashes', authorityTarget((text) => (text.includes('..') ? fail() : parseAuthority(text)))],
  ['a host that takes escapes for a name', hostTarget((text) => (text.includes('%') ? NAME : parseHost(text)))],
  [
    'a host that takes 127.1 for a name',
    hostTarget((text) => (/^\d+\.\d+$/.test(text) ? { kind: 'name', name: text } : parseHost(text))),
  ],
  ['a host that reads octal as decimal', hostTarget((text) => parseHost(text.replace(/^0+(?=[1-9])/, '')))],
  [
    'a class that forgets carrier-grade NAT',
    classifyTarget((ip) => (ip.startsWith('100.64.') ? { public: true, canonical: ip } : classifyAddress(ip))),
  ],
  [
    'a class that lets translated addresses pass',
    classifyTarget((ip) => (ip.startsWith('2002:') ? { public: true, canonical: ip } : classifyAddress(ip))),
  ],
  [
    'an address cut at its first colon',
    workerAddressTarget((address) => {
      const parsed = parseAddress(address)
      return { ...parsed, host: parsed.host.split(':')[0] ?? '' }
    }),
  ],
  ['an address with blanks around it', workerAddressTarget((address) => parseAddress(String(address).trim()))],
  [
    'an object whose port wraps round',
    workerObjectTarget((address) => {
      const { hostname, port } = address as { readonly hostname: unknown; readonly port: unknown }
      return parseAddress({ hostname, port: typeof port === 'number' ? port % 65_536 : port })
    }),
  ],
  [
    'a head that ends in bare line feeds',
    connectHeadTarget((bytes, cuts) =>
      readInChunks(Buffer.from(bytes.toString('latin1').replaceAll(/\r?\n/g, '\r\n'), 'latin1'), cuts),
    ),
  ],
  [
    'a head that depends on where it is cut',
    connectHeadTarget((bytes, cuts) => (cuts.length > 3 ? undefined : readInChunks(bytes, cuts))),
  ],
  [
    'a head whose methods are of any case',
    connectHeadTarget((bytes, cuts) =>
      readInChunks(Buffer.from(bytes.toString('latin1').replace(/^connect/, 'CONNECT'), 'latin1'), cuts),
    ),
  ],
]

function fail(): never {
  throw new RangeError('a crash')
}

for (const [fault, target] of PLANTED) {
  test(`a planted fault is found: ${fault}`, LIMIT, (t) => {
    const { finding } = runBatch(target, randomInt(2 ** 31), PLANTED_RUNS)
    t.diagnostic(`${finding?.input}: ${finding?.problem}`)
    assert.ok(finding !== undefined)
    assert.equal(finding.target, target.name)
  })
}

test('the same seed finds the same smallest input', () => {
  const target = hostTarget((text) => (text.includes('%') ? NAME : parseHost(text)))
  assert.deepEqual(runBatch(target, 7, PLANTED_RUNS), runBatch(target, 7, PLANTED_RUNS))
})

test('a refusal of another kind than the documented one is a crash', () => {
  const wrong = hostTarget(() => {
    throw new HawserError('config_invalid', 'x')
  })
  assert.match(runBatch(wrong, 1, 10).finding?.problem ?? '', /HawserError: x/)
})

test('a parser that never returns is found out, and ended', LIMIT, async () => {
  const source = `require('node:worker_threads').parentPort.on('message', () => { for (;;); })`
  const { finding } = await ask(new Worker(source, { eval: true }), { target: 'host', seed: 3, runs: 1 }, 200)
  assert.match(finding?.problem ?? '', /no answer in 0\.2 s/)
})

test('a thread that dies is a finding too', LIMIT, async () => {
  const source = `require('node:worker_threads').parentPort.on('message', () => { throw new Error('dead') })`
  const { finding } = await ask(new Worker(source, { eval: true }), { target: 'host', seed: 3, runs: 1 })
  assert.match(finding?.problem ?? '', /the thread ended: Error: dead/)
})
