import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBack, reportOf, textReport } from './report.ts'
import type { Observed } from './report.ts'

const GOOD: Observed = {
  seed: 7,
  seconds: 60,
  schedule: [{ kind: 'killEdge', atMs: 1_000, forMs: 500, connectors: [] }],
  load: {
    flows: 10,
    ok: 8,
    bytes: 2_000_000,
    failures: { tunnel_closed: 2 },
    silent: [],
    uncoded: [],
    open: 0,
  },
  corrupted: [],
  recoveries: [{ why: 'the edge was started again', atMs: 5, tookMs: 700 }],
  memory: [{ process: 'edge', startBytes: 100_000_000, endBytes: 109_000_000 }],
  leaks: [],
  problems: [],
}

test('a good run passes, with its failures counted by code', () => {
  const { passed, findings, flows, bytes, failures, corrupted, silent, leaked, recoverMs, seed } = reportOf(GOOD)
  assert.deepEqual(findings, [])
  assert.equal(passed, true)
  assert.deepEqual(
    { flows, bytes, failures, corrupted, silent, leaked, recoverMs, seed },
    {
      flows: 10,
      bytes: 2_000_000,
      failures: { tunnel_closed: 2 },
      corrupted: 0,
      silent: 0,
      leaked: 0,
      recoverMs: 700,
      seed: 7,
    },
  )
  assert.match(textReport(reportOf(GOOD)), /passed\nto repeat: npm run chaos -- --seed 7 --minutes 1\n$/)
})

const BAD: readonly (readonly [what: string, change: Partial<Observed>, finding: RegExp])[] = [
  ['a corrupted flow', { corrupted: ['flow 1'] }, /^corrupted: flow 1$/],
  ['a silent flow', { load: { ...GOOD.load, silent: ['flow 3'] } }, /^silent: flow 3$/],
  ['a failure without a code', { load: { ...GOOD.load, uncoded: ['flow 4'] } }, /^failed without a code: flow 4$/],
  ['something left over', { leaks: ['edge: ESTAB'] }, /^left over: edge: ESTAB$/],
  [
    'a slow recovery',
    { recoveries: [{ why: 'it came up', atMs: 0, tookMs: 2_001 }] },
    /^slow to recover: it came up.* 2001 ms$/,
  ],
  [
    'memory that stays',
    { memory: [{ process: 'edge', startBytes: 100_000_000, endBytes: 111_000_000 }] },
    /^memory has not/,
  ],
  ['anything else', { problems: ['the edge ended by itself'] }, /^the edge ended by itself$/],
  ['no flow at all', { load: { ...GOOD.load, flows: 0 } }, /^no flow was run$/],
]

for (const [what, change, finding] of BAD) {
  test(`${what} fails it, and is said in words`, () => {
    const report = reportOf({ ...GOOD, ...change })
    assert.equal(report.passed, false)
    assert.match(report.findings[0] ?? '', finding)
    const text = textReport(report)
    assert.match(text, /FAILED/)
    assert.match(text, /--seed 7/)
    assert.match(text, /killEdge of the edge/)
  })
}

test('hundreds of the same are said a few times and counted', () => {
  const corrupted = Array.from({ length: 300 }, (_, id) => `flow ${id}`)
  const report = reportOf({ ...GOOD, corrupted })
  assert.equal(report.corrupted, 300)
  assert.equal(report.findings.length, 11)
  assert.equal(report.findings.at(-1), 'corrupted: and 290 more')
})

test('memory is back within a tenth', () => {
  assert.ok(isBack({ process: 'edge', startBytes: 100, endBytes: 110 }))
  assert.ok(!isBack({ process: 'edge', startBytes: 100, endBytes: 111 }))
})
