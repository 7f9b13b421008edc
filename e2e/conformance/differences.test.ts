import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { judge, parseDifferences } from './differences.ts'
import type { Result } from './suite.ts'

const PAGE = `# Differences

| behaviour id | host | reason |
| --- | --- | --- |
| S-007 | hawser | a class of our own |
| \`S-180\` | node | there is no global scope |
`

const IDS: ReadonlySet<string> = new Set(['S-007', 'S-050', 'S-180'])
const passed = (id: string, host: Result['host']): Result => ({ id, host })
const failed = (id: string, host: Result['host']): Result => ({ id, host, failure: 'got 1, expected 2' })

test('the rows of the table are read, and nothing else of the page', () => {
  assert.deepEqual(parseDifferences(PAGE), [
    { id: 'S-007', host: 'hawser', reason: 'a class of our own' },
    { id: 'S-180', host: 'node', reason: 'there is no global scope' },
  ])
})

test('the real page can be read', async () => {
  const page = await readFile(new URL('../../docs/sockets-differences.md', import.meta.url), 'utf8')
  assert.ok(Array.isArray(parseDifferences(page)))
})

for (const [row, why] of [
  ['| S-007 | deno | because |', 'an unknown host'],
  ['| S-007 | node | |', 'no reason'],
  ['| S-007 | node |', 'a missing column'],
] as const) {
  test(`a row with ${why} is refused with its line`, () => {
    assert.throws(() => parseDifferences(`# Page\n${row}\n`), /^Error: line 2: /)
  })
}

test('a difference listed twice is refused', () => {
  assert.throws(() => parseDifferences(`${PAGE}| S-007 | hawser | again |\n`), /S-007 on hawser is listed twice/)
})

test('a failure with a row is explained, one without is not', () => {
  const other = failed('S-050', 'hawser')
  const verdict = judge([failed('S-007', 'hawser'), other, passed('S-007', 'node')], parseDifferences(PAGE), IDS)
  assert.deepEqual(verdict, { unexplained: [other], stale: [] })
})

test('a row for one host does not explain the failure of another', () => {
  const other = failed('S-007', 'node')
  assert.deepEqual(judge([other], parseDifferences(PAGE), IDS).unexplained, [other])
})

test('a row whose behaviour passes is stale', () => {
  const verdict = judge([passed('S-007', 'hawser')], parseDifferences(PAGE), IDS)
  assert.deepEqual(
    verdict.stale.map(({ id, host }) => [id, host]),
    [['S-007', 'hawser']],
  )
})

test('a row whose behaviour was not run is left alone, one for no behaviour at all is stale', () => {
  const verdict = judge([], parseDifferences(PAGE), new Set(['S-007']))
  assert.deepEqual(
    verdict.stale.map(({ id }) => id),
    ['S-180'],
  )
})
