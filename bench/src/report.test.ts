import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CaseResult, Figure } from './measure.ts'
import { missingLines, notesOf, toJson, toTable } from './report.ts'

const label = { name: 'tunnel-bulk-1', summary: 'bytes', unit: 'MB/s', better: 'more' } as const

function figure(changes: Partial<Figure> = {}): Figure {
  return { label, peer: 'ssh -L', ours: 612.34567, theirs: 455.5, ratio: 1.34434, spread: [1.2, 1.5], ...changes }
}

function result(changes: Partial<CaseResult> = {}): CaseResult {
  return { figures: [], absent: [], failed: [], ...changes }
}

test('JSON is one flat array of objects with exactly the six documented keys', () => {
  const json = toJson([result({ figures: [figure(), figure({ peer: 'stunnel' })] }), result({ figures: [figure()] })])
  assert.equal(json.length, 3)
  for (const entry of json) {
    assert.deepEqual(Object.keys(entry), ['case', 'unit', 'ours', 'peer', 'theirs', 'ratio'])
    for (const key of ['case', 'unit', 'peer'] as const) assert.equal(typeof entry[key], 'string')
    for (const key of ['ours', 'theirs', 'ratio'] as const) assert.ok(Number.isFinite(entry[key]))
  }
  assert.deepEqual(
    json.map((entry) => entry.peer),
    ['ssh -L', 'stunnel', 'ssh -L'],
  )
})

test('JSON carries four digits and survives being parsed again', () => {
  const json = toJson([result({ figures: [figure()] })])
  assert.deepEqual(JSON.parse(JSON.stringify(json)), [
    { case: 'tunnel-bulk-1', unit: 'MB/s', ours: 612.3, peer: 'ssh -L', theirs: 455.5, ratio: 1.344 },
  ])
})

test('without figures JSON is an empty array', () => {
  assert.deepEqual(toJson([]), [])
  const failed = [{ case: 'x', side: 'hawser', reason: 'broke' }]
  assert.deepEqual(toJson([result({ failed })]), [])
})

test('the table has a line of headings and one line for each figure, in columns', () => {
  const figures = [figure(), figure({ peer: 'loopback', theirs: 12_345.6, ratio: 0.05, spread: [0.04, 0.06] })]
  const [headings = '', ...rows] = toTable([result({ figures })], 5)
    .split('\n')
    .slice(0, 3)
  assert.match(headings, /^case +unit +ours +peer +theirs +ratio +spread$/)
  assert.match(rows[0] ?? '', /^tunnel-bulk-1 +MB\/s +612 +ssh -L +456 +1\.34 +1\.20–1\.50$/)
  assert.match(rows[1] ?? '', /^tunnel-bulk-1 +MB\/s +612 +loopback +12,346 +0\.05 +0\.04–0\.06$/)
  assert.equal(headings.length, rows[0]?.length)
  assert.equal(rows[0]?.length, rows[1]?.length)
})

test('the table says how many runs stand behind it and which cipher was used', () => {
  const table = toTable([result({ figures: [figure()] })], 7)
  assert.match(table, /Medians of 7 runs/)
  assert.match(table, /TLS_AES_128_GCM_SHA256/)
  assert.match(table, /ssh as installed, with its own default/)
})

test('small figures keep their decimals', () => {
  assert.match(toTable([result({ figures: [figure({ ours: 1.234, theirs: 12.34 })] })], 5), / 1\.23 .* 12\.3 /)
})

test('an absent peer is named once, with its reason and every case it is missing from', () => {
  const absent = (name: string) => ({ case: name, side: 'stunnel', reason: 'stunnel is not on PATH' })
  const results = [result({ absent: [absent('a')] }), result({ absent: [absent('b')] })]
  assert.deepEqual(notesOf(results), ['absent stunnel: stunnel is not on PATH (a, b)'])
})

test('absent peers and failures stand under the table', () => {
  const results = [
    result({
      absent: [{ case: 'a', side: 'stunnel', reason: 'not here' }],
      failed: [{ case: 'a', side: 'ssh -L', reason: 'broke' }],
    }),
  ]
  const table = toTable(results, 5)
  assert.match(table, /^no figures/)
  assert.match(table, /\nabsent stunnel: not here \(a\)\nFAILED ssh -L: broke \(a\)\n$/)
})

test('different reasons of one side stay apart', () => {
  const missing = [
    { case: 'a', side: 'ssh -L', reason: 'one' },
    { case: 'b', side: 'ssh -L', reason: 'two' },
  ]
  assert.deepEqual(missingLines('FAILED', missing), ['FAILED ssh -L: one (a)', 'FAILED ssh -L: two (b)'])
})
