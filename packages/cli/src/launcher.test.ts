import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { assertNoLeaks } from '@hawser/testkit'

const launcher = fileURLToPath(new URL('../bin/hawser.mjs', import.meta.url))

/** A Node on PATH that is too old for Hawser. */
function oldNode(): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const binary = join(folder, 'node')
    const { stdout } = spawnSync(binary, ['-p', 'process.versions.node'], { encoding: 'utf8' })
    const major = Number(stdout?.split('.')[0] ?? Number.NaN)
    if (major >= 14 && major < 24) return binary
  }
  return undefined
}

const old = oldNode()
const skip = old === undefined ? 'no Node of 14 to 23 on PATH' : false

/**
 * The launcher alone in a folder, over a program of the test's own. With `node`, the npm package `node` is installed beside
 * it and its binary is the one that runs this test.
 */
async function install(t: TestContext, program: string, withNode: boolean): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'hawser-launcher-')))
  t.after(() => rm(folder, { recursive: true }))
  const home = join(folder, 'node_modules', 'hawser')
  await mkdir(join(home, 'dist'), { recursive: true })
  await cp(launcher, join(home, 'bin', 'hawser.mjs'))
  await writeFile(join(home, 'dist', 'main.mjs'), program)
  if (withNode) {
    const nodeHome = join(folder, 'node_modules', 'node')
    await mkdir(join(nodeHome, 'bin'), { recursive: true })
    await writeFile(join(nodeHome, 'package.json'), '{"name":"node","version":"24.21.0"}')
    await symlink(process.execPath, join(nodeHome, 'bin', 'node'))
  }
  return join(home, 'bin', 'hawser.mjs')
}

type Child = ChildProcessByStdio<null, Readable, Readable>

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

async function ended(child: Child): Promise<Ended> {
  const exit = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code, signal] = await exit
  return { code, signal, stdout, stderr }
}

const started = (binary: string, ...line: string[]): Child => spawn(binary, line, { stdio: ['ignore', 'pipe', 'pipe'] })

const limits = { timeout: 60_000, skip }
const PRINT = 'console.log(JSON.stringify([process.version, process.argv.slice(2), process.env.HAWSER_LAUNCHED]))'
const WAIT = "console.log('up'); setInterval(() => {}, 1000)"

test('a new enough Node runs the program itself', { timeout: 60_000 }, async (t) => {
  assertNoLeaks(t)
  const file = await install(t, `${PRINT}; process.exitCode = 7`, false)
  const { code, stdout } = await ended(started(process.execPath, file, 'a', '--b=c d'))
  assert.deepEqual(JSON.parse(stdout), [process.version, ['a', '--b=c d'], null])
  assert.equal(code, 7)
})

test('an old Node hands over to the npm package node, arguments and exit code included', limits, async (t) => {
  assertNoLeaks(t)
  const file = await install(t, `${PRINT}; process.exitCode = 7`, true)
  const { code, stdout, stderr } = await ended(started(old ?? '', file, 'a', '--b=c d'))
  assert.deepEqual(JSON.parse(stdout), [process.version, ['a', '--b=c d'], null])
  assert.equal(code, 7)
  assert.equal(stderr, '')
})

test('without that package an old Node says what is needed and exits 2', limits, async (t) => {
  assertNoLeaks(t)
  const file = await install(t, PRINT, false)
  const { code, stdout, stderr } = await ended(started(old ?? '', file))
  assert.equal(code, 2)
  assert.equal(stdout, '')
  assert.match(stderr, /^hawser: Node 24\.11 or newer is needed, this is \d+\.\d+\.\d+ \(options_invalid\)\n.+\n$/)
})

test('a package node that is too old itself ends in the message, not in a loop', limits, async (t) => {
  assertNoLeaks(t)
  const file = await install(t, PRINT, true)
  const binary = join(file, '..', '..', '..', 'node', 'bin', 'node')
  await rm(binary)
  await symlink(old ?? '', binary)
  const { code, stderr } = await ended(started(old ?? '', file))
  assert.equal(code, 2)
  assert.match(stderr, /is needed/)
})

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} reaches the program behind the launcher, which decides the exit code`, limits, async (t) => {
    assertNoLeaks(t)
    const file = await install(t, `process.on('${signal}', () => process.exit(5)); ${WAIT}`, true)
    const child = started(old ?? '', file)
    child.stdout.once('data', () => child.kill(signal))
    assert.deepEqual((await ended(child)).code, 5)
  })
}

test('a program that dies of a signal makes the launcher die of it', limits, async (t) => {
  assertNoLeaks(t)
  const file = await install(t, "process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000)", true)
  const { code, signal } = await ended(started(old ?? '', file))
  assert.deepEqual([code, signal], [null, 'SIGKILL'])
})

test('a launcher that is killed is noticed by the program', limits, async (t) => {
  assertNoLeaks(t)
  const file = await install(
    t,
    `process.once('disconnect', () => { console.log('gone'); process.exit() }); ${WAIT}`,
    true,
  )
  const child = started(old ?? '', file)
  child.stdout.once('data', () => child.kill('SIGKILL'))
  const { stdout, signal } = await ended(child) // stdout ends when the program behind it has ended as well
  assert.equal(signal, 'SIGKILL')
  assert.equal(stdout, 'up\ngone\n')
})

test('an open channel does not keep a program that is done', limits, async (t) => {
  assertNoLeaks(t)
  const file = await install(
    t,
    "process.once('disconnect', () => {}); process.channel.unref(); console.log('done')",
    true,
  )
  const { code, stdout } = await ended(started(old ?? '', file))
  assert.deepEqual([code, stdout], [0, 'done\n'])
})

test('in the workspace the old Node runs the sources', limits, async (t) => {
  assertNoLeaks(t)
  const { code, stdout } = await ended(started(old ?? '', launcher, '--version'))
  assert.equal(code, 0)
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
})
