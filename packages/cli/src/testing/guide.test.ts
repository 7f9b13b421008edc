import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cp, mkdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { assertNoLeaks } from '@hawser/testkit'
import { devProject } from '../test-dev.ts'
import { TestProcess } from '../test-process.ts'

const LIMIT = { timeout: 180_000 }
const PACKAGE = fileURLToPath(new URL('../../', import.meta.url))
const REPOSITORY = join(PACKAGE, '../..')

/** The files that the guide shows: blocks whose first line is a comment with a path. */
async function filesOfGuide(): Promise<Record<string, string>> {
  const guide = await readFile(join(REPOSITORY, 'docs/testing.md'), 'utf8')
  const blocks = guide.matchAll(/^```(?:js|jsonc)\n\/\/ (\S+\.\w+)\n([^]*?)^```$/gm)
  return Object.fromEntries([...blocks].map(([, name = '', text = '']) => [name, text]))
}

/** The example of the guide, where `hawser` is what is in a folder. */
async function exampleWith(t: TestContext, hawser: string, extra: Record<string, unknown> = {}): Promise<string> {
  const files = await filesOfGuide()
  assert.deepEqual(Object.keys(files), ['wrangler.jsonc', 'src/index.js', 'test/prices.test.js'])
  const folder = await devProject(t, { ...files, ...extra, 'package.json': { type: 'module' } })
  await mkdir(join(folder, 'node_modules'))
  await symlink(hawser, join(folder, 'node_modules', 'hawser'))
  await symlink(join(REPOSITORY, 'node_modules', '@types'), join(folder, 'node_modules', '@types'))
  return folder
}

/** The package as npm would install it: what was built, and no sources. */
async function install(t: TestContext): Promise<string> {
  const folder = await devProject(t, {})
  const tsdown = fileURLToPath(import.meta.resolve('tsdown/run'))
  const env = { ...process.env, HAWSER_BUILD_DIR: join(folder, 'dist') }
  const built = spawnSync(process.execPath, [tsdown, '--logLevel', 'warn'], { cwd: PACKAGE, env, encoding: 'utf8' })
  assert.equal(built.status, 0, `${built.stdout}${built.stderr}`)
  for (const name of ['bin', 'package.json']) await cp(join(PACKAGE, name), join(folder, name), { recursive: true })
  await symlink(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

async function passes(folder: string): Promise<void> {
  await using run = new TestProcess('--test', ['--test-reporter=tap'], { cwd: folder })
  assert.deepEqual(await run.ended, { code: 0, signal: null }, `${run.stdout}${run.stderr}`)
  assert.match(run.stdout, /^# pass 2$/m)
}

test('the example of the guide passes', LIMIT, async (t) => {
  assertNoLeaks(t)
  await passes(await exampleWith(t, PACKAGE))
})

test('it passes with the package as it is published, whose types need nothing else', LIMIT, async (t) => {
  assertNoLeaks(t)
  const typed = `
    import { startHawser } from 'hawser/testing'
    import type { Flow, Hawser, Script } from 'hawser/testing'
    const script: Script = [{ expect: /PING/ }, { reply: 'PONG' }]
    export async function run(): Promise<Flow> {
      await using hawser: Hawser = await startHawser({ config: '.', relaxed: ['loops'] })
      await hawser.network('A').serve(1, script)
      await hawser.network('A').serve('a:1', (socket) => socket.end('x'))
      await hawser.egress.serve('db.example.com:5432', (socket) => socket.end('x'))
      await hawser.service('B').serve({ fetch: async (request) => new Response(await request.text()) })
      // @ts-expect-error a rule that is none
      await startHawser({ config: '.', relaxed: ['all'] })
      const status: number = (await hawser.fetch(new Request('http://x/'))).status
      return hawser.flow({ outcome: status === 200 ? 'ok' : 'error' })
    }`
  const compilerOptions = { module: 'nodenext', target: 'esnext', strict: true, noEmit: true, types: ['node'] }
  const extra = { 'check.ts': typed, 'tsconfig.json': { compilerOptions, files: ['check.ts'] } }
  const folder = await exampleWith(t, await install(t), extra)
  const tsc = spawnSync(join(REPOSITORY, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' })
  assert.equal(tsc.status, 0, `${tsc.stdout}${tsc.stderr}`)
  await passes(folder)
})
