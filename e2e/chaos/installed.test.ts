import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { installHawser } from './installed.ts'

test('what is laid out runs without the sources', { timeout: 120_000 }, async () => {
  await using owned = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'hawser-installed-'))
  owned.defer(() => rm(folder, { recursive: true, force: true }))
  const launcher = await installHawser(join(folder, 'here'))
  assert.equal(existsSync(join(folder, 'here', 'src')), false)
  const { stdout } = await promisify(execFile)(process.execPath, [launcher, '--version'])
  assert.match(stdout, /^\d+\.\d+\.\d+/)
})
