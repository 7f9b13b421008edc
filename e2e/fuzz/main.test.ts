import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { FuzzReport } from './fuzz.ts'
import { TARGETS } from './targets/index.ts'

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url))
const LIMIT = { timeout: 60_000 }

function run(...words: string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...words], { encoding: 'utf8' })
}

test('the command runs every target, prints one JSON object and ends with 0', LIMIT, () => {
  const { status, stdout } = run('--minutes', '0.01', '--seed', '5', '--json')
  const report = JSON.parse(stdout) as FuzzReport
  assert.equal(status, 0)
  assert.deepEqual([report.seed, report.findings], [5, []])
  assert.deepEqual(
    Object.keys(report.runs),
    TARGETS.map(({ name }) => name),
  )
})

test('the command says in words what it did, and with which seed', LIMIT, () => {
  const { status, stdout } = run('--minutes', '0.01')
  assert.equal(status, 0)
  assert.match(stdout, /^connect-head +[\d,]+ inputs$/m)
  assert.match(stdout, /^seed \d+, \d+ s: nothing found$/m)
})

test('a wrong command line ends with 2, and --help with 0', LIMIT, () => {
  const wrong = run('--minutes', 'long')
  assert.deepEqual([wrong.status, wrong.stdout], [2, ''])
  assert.match(wrong.stderr, /--minutes: expected a number/)
  const help = run('--help')
  assert.equal(help.status, 0)
  assert.match(help.stdout, /npm run fuzz/)
})
