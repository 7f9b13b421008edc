import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge } from './differences.ts'
import { jsonReport, problems, textReport } from './report.ts'
import type { Run } from './report.ts'
import type { Result } from './suite.ts'
import type { Behaviour } from './support/behaviour.ts'

const behaviour = (id: string, title: string): Behaviour => ({ id, title, peer: 'live', run: () => Promise.resolve() })
const behaviours = [behaviour('S-007', 'a socket is no data'), behaviour('S-050', 'connect() returns at once')]

function run(results: readonly Result[], listed: readonly string[] = []): Run {
  const differences = listed.map((id) => ({ id, host: 'hawser' as const, reason: 'a class of our own' }))
  const verdict = judge(results, differences, new Set(behaviours.map(({ id }) => id)))
  return { behaviours, hosts: ['native', 'hawser'], results, differences, verdict }
}

const results: readonly Result[] = [
  { id: 'S-007', host: 'native' },
  { id: 'S-050', host: 'native' },
  { id: 'S-007', host: 'hawser', failure: 'nothing was thrown' },
  { id: 'S-050', host: 'hawser', failure: 'got 1, expected 2' },
]

test('the JSON report counts behaviours, outcomes by host, and what is unexplained', () => {
  assert.deepEqual(jsonReport(run(results, ['S-007'])), {
    behaviours: 2,
    hosts: { native: { pass: 2, fail: 0 }, hawser: { pass: 0, fail: 2 } },
    unexplained: 1,
  })
})

test('the table has a line for each behaviour with a mark for each host', () => {
  const lines = textReport(run(results, ['S-007'])).split('\n')
  assert.match(lines[0] ?? '', /^\s+native\s+hawser\s*$/)
  assert.match(lines[1] ?? '', /^S-007\s+ok\s+differs\s+a socket is no data$/)
  assert.match(lines[2] ?? '', /^S-050\s+ok\s+FAIL\s+connect\(\) returns at once$/)
})

test('the report for people gives the reason of each explained difference', () => {
  assert.match(textReport(run(results, ['S-007'])), /^S-007 differs on hawser: a class of our own$/m)
})

test('problems are what is unexplained and what is stale', () => {
  assert.deepEqual(problems(run(results.slice(0, 2))), [])
  assert.deepEqual(problems(run([{ id: 'S-007', host: 'hawser' }, ...results.slice(3)], ['S-007'])), [
    'S-050 on hawser: got 1, expected 2',
    'S-007 on hawser: listed in docs/sockets-differences.md, but not a difference any more',
  ])
})
