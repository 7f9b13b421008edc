import assert from 'node:assert/strict'
import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { LogFile } from './log-file.ts'

interface Lab {
  readonly path: string
  readonly instead: string[]
  readonly open: (path?: string) => LogFile
}

async function lab(t: TestContext): Promise<Lab> {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-log-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const instead: string[] = []
  const path = join(folder, 'hawser.log')
  return { path, instead, open: (at = path) => new LogFile(at, { write: (text) => instead.push(text) }) }
}

test('lines are appended to what is there, and are there at once', async (t) => {
  const { path, open, instead } = await lab(t)
  await writeFile(path, 'before\n')
  using file = open()
  file.write('one\n')
  assert.equal(await readFile(path, 'utf8'), 'before\none\n')
  file.write('two €\n')
  assert.equal(await readFile(path, 'utf8'), 'before\none\ntwo €\n')
  assert.deepEqual(instead, [])
})

test('a new file is for its owner and its group', async (t) => {
  const { path, open } = await lab(t)
  using _file = open()
  assert.equal((await stat(path)).mode & 0o777 & ~0o640, 0)
})

test('after a rotation, reopening goes on in a new file; before it, in the one that was moved', async (t) => {
  const { path, open } = await lab(t)
  using file = open()
  file.write('1\n')
  await rename(path, `${path}.1`)
  file.write('2\n')
  file.reopen()
  file.write('3\n')
  assert.equal(await readFile(`${path}.1`, 'utf8'), '1\n2\n')
  assert.equal(await readFile(path, 'utf8'), '3\n')
})

test('a line that cannot be written goes elsewhere, whole, and the next one is tried again', async (t) => {
  const { path, open, instead } = await lab(t)
  using full = open('/dev/full')
  full.write('lost?\n')
  assert.deepEqual(instead, ['lost?\n'])
  using file = open()
  file.reopen()
  await rm(join(path, '..'), { recursive: true })
  file.write('no folder\n')
  assert.deepEqual(instead, ['lost?\n', 'no folder\n'])
})

test('a file that cannot be opened is an option that is wrong', async (t) => {
  const { path, open } = await lab(t)
  assert.throws(() => open(join(path, 'x')), { code: 'options_invalid', message: /^--log-file: .+: ENOENT$/ })
})
