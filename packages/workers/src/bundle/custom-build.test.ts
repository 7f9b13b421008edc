import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { HawserError } from '@hawser/core'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { readWorkerConfig } from '../config.ts'
import { wranglerConfig, writeProject } from '../test-project.ts'
import { runCustomBuild } from './custom-build.ts'

async function run(t: TestContext, build: unknown): Promise<{ folder: string; log: CapturedLog }> {
  const folder = await writeProject(t, { 'wrangler.json': wranglerConfig({ build }), 'sub/.keep': '' })
  const log = new CapturedLog()
  await runCustomBuild(await readWorkerConfig({ configPath: folder, logger: log }), log)
  return { folder, log }
}

test('build.command runs in the folder of the configuration, and its output is logged', async (t) => {
  assertNoLeaks(t)
  const { folder, log } = await run(t, { command: 'echo made; echo careful >&2; echo x > made.txt' })
  assert.equal(await readFile(join(folder, 'made.txt'), 'utf8'), 'x\n')
  assert.deepEqual(
    log.at('info').map(({ message }) => message),
    ['made'],
  )
  assert.deepEqual(
    log.at('warn').map(({ message }) => message),
    ['careful'],
  )
})

test('build.cwd is taken from there', async (t) => {
  assertNoLeaks(t)
  const { folder } = await run(t, { command: 'echo x > made.txt', cwd: 'sub' })
  assert.equal(await readFile(join(folder, 'sub', 'made.txt'), 'utf8'), 'x\n')
})

test('without a command nothing is run', async (t) => {
  assertNoLeaks(t)
  assert.deepEqual((await run(t, {})).log.lines, [])
})

test('a command that fails stops the start', async (t) => {
  assertNoLeaks(t)
  await assert.rejects(run(t, { command: 'exit 3' }), (error) => {
    assert.ok(HawserError.is(error, 'bundle_failed'))
    assert.equal(error.message, 'build.command ended with 3: exit 3')
    return true
  })
})
