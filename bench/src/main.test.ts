import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { assertNoLeaks } from '@hawser/testkit'
import { CASES } from './cases/index.ts'

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url))
const LIMIT = { timeout: 60_000 }

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** What it left in its temporary folder. */
  readonly left: readonly string[]
}

/** Runs the bench with a temporary folder of its own; `onStderr` may send it a signal. */
async function bench(
  t: TestContext,
  words: readonly string[],
  onStderr: (text: string, kill: (signal: NodeJS.Signals) => void) => void = () => {},
): Promise<Ended> {
  assertNoLeaks(t)
  const folder = await mkdtemp(join(tmpdir(), 'hawser-main-'))
  t.after(() => rm(folder, { recursive: true }))
  const child = spawn(process.execPath, [MAIN, ...words], { env: { ...process.env, TMPDIR: folder } })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    onStderr(stderr, (signal) => child.kill(signal))
  })
  await once(child, 'close')
  return { code: child.exitCode, stdout, stderr, left: await readdir(folder) }
}

test('--help prints how to use it and ends with 0', LIMIT, async (t) => {
  const { code, stdout } = await bench(t, ['--help'])
  assert.equal(code, 0)
  assert.match(stdout, /^npm run bench/)
})

test('--list names every case with its sides', LIMIT, async (t) => {
  const { code, stdout } = await bench(t, ['--list'])
  assert.equal(code, 0)
  for (const { name, unit } of CASES) assert.ok(stdout.includes(`${name}  (${unit})`))
  for (const peer of ['hawser', 'ssh -L', 'frp', 'chisel', 'stunnel', 'loopback', 'workerd', 'wrangler dev'])
    assert.ok(stdout.includes(`- ${peer}`))
})

test('--list of some cases is a list of those alone', LIMIT, async (t) => {
  const { stdout } = await bench(t, ['--list', 'worker'])
  assert.match(stdout, /worker-connect/)
  assert.doesNotMatch(stdout, /tunnel-/)
})

test('a wrong word ends with 2, and nothing is printed where a result is expected', LIMIT, async (t) => {
  for (const words of [['--fast'], ['no-such-case'], ['--runs', 'many']]) {
    const { code, stdout, stderr } = await bench(t, ['--json', ...words])
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /--help/)
  }
})

test('--json prints one array of figures and nothing else', LIMIT, async (t) => {
  const { code, stdout, stderr, left } = await bench(t, ['--json', '--runs', '1', 'sockets-connect'])
  assert.equal(code, 0, stderr)
  const figures = JSON.parse(stdout) as Record<string, unknown>[]
  const figure = figures.find(({ peer }) => peer === 'node:net')
  assert.deepEqual(Object.keys(figure ?? {}), ['case', 'unit', 'ours', 'peer', 'theirs', 'ratio'])
  assert.equal(figure?.['case'], 'sockets-connect')
  assert.match(stderr, /run 1\/1: hawser /)
  assert.deepEqual(left, [])
})

test('a peer that is not on PATH is named and not faked', LIMIT, async (t) => {
  const before = process.env['PATH']
  t.after(() => void (process.env['PATH'] = before))
  process.env['PATH'] = '/nowhere'
  const { stdout } = await bench(t, ['--list', 'tunnel-exchange'])
  assert.match(stdout, /- ssh -L: absent, ssh is not on PATH/)
  for (const peer of ['frp', 'chisel']) assert.match(stdout, new RegExp(`- ${peer}: absent, \\w+ is not on PATH`))
  assert.match(stdout, /- loopback\n/)
})

test('Ctrl-C ends everything and leaves nothing behind', LIMIT, async (t) => {
  let sent = false // a second one would be a different wish: end at once
  const ended = await bench(t, ['tunnel-exchange'], (text, kill) => {
    if (sent || !/warm-up/.test(text)) return
    sent = true
    kill('SIGINT')
  })
  // 'close' came, so no child holds on to the pipes any more.
  assert.equal(ended.code, 130)
  assert.match(ended.stderr, /interrupted/)
  assert.equal(ended.stdout, '')
  assert.deepEqual(ended.left, [])
})
