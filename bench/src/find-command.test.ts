import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { findCommand, requireCommand } from './find-command.ts'

/** A folder in front of PATH for one test, holding one command and one plain file. */
async function folderOnPath(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-find-'))
  const before = process.env['PATH']
  t.after(async () => {
    process.env['PATH'] = before
    await rm(folder, { recursive: true })
  })
  process.env['PATH'] = [folder, before].join(delimiter)
  await writeFile(join(folder, 'hawser-test-command'), '#!/bin/sh\n')
  await chmod(join(folder, 'hawser-test-command'), 0o755)
  await writeFile(join(folder, 'hawser-test-file'), 'not to be run')
  return folder
}

test('a command is found on PATH', async (t) => {
  const folder = await folderOnPath(t)
  assert.equal(findCommand('hawser-test-command'), join(folder, 'hawser-test-command'))
  assert.equal(requireCommand('hawser-test-command'), join(folder, 'hawser-test-command'))
})

test('the first name that exists is taken', async (t) => {
  const folder = await folderOnPath(t)
  assert.equal(findCommand('hawser-test-absent', 'hawser-test-command'), join(folder, 'hawser-test-command'))
})

test('a file that may not be run is not a command', async (t) => {
  await folderOnPath(t)
  assert.equal(findCommand('hawser-test-file'), undefined)
})

test('a command that is nowhere is undefined, or an error that names every spelling tried', () => {
  assert.equal(findCommand('hawser-test-absent'), undefined)
  assert.throws(() => requireCommand('hawser-test-absent', 'hawser-test-gone'), /absent or hawser-test-gone/)
})
