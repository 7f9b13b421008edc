import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import { existsPrivate, readPrivate, writePrivate } from './private-file.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** Matches a storage error whose message has all of `parts`. */
const saying =
  (...parts: string[]) =>
  (error: unknown): boolean =>
    HawserError.is(error, 'storage_failed') && parts.every((part) => error.message.includes(part))

test('private file: is written for its owner alone, and read back', async (t) => {
  const path = join(await temporaryFolder(t), 'key')
  await writePrivate(path, 'secret')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.equal((await readPrivate(path))?.toString(), 'secret')
  await writePrivate(path, Buffer.from([1, 2]))
  assert.deepEqual(await readPrivate(path), Buffer.from([1, 2]))
})

test('private file: replacing leaves no other file behind, even one of a crash', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'key.new'), 'half')
  await writePrivate(join(folder, 'key'), 'whole')
  assert.deepEqual(await readdir(folder), ['key'])
})

test('private file: a link that lies in wait is not followed', async (t) => {
  const folder = await temporaryFolder(t)
  const victim = join(folder, 'victim')
  await writeFile(victim, 'precious')
  await symlink(victim, join(folder, 'key.new'))
  await writePrivate(join(folder, 'key'), 'secret')
  assert.equal(await readFile(victim, 'utf8'), 'precious')
})

test('private file: none is undefined', async (t) => {
  const path = join(await temporaryFolder(t), 'key')
  assert.equal(await readPrivate(path), undefined)
  assert.equal(await existsPrivate(path), false)
})

test('private file: one that others may read is refused, with the command that mends it', async (t) => {
  const path = join(await temporaryFolder(t), 'key')
  await writePrivate(path, 'secret')
  for (const mode of [0o640, 0o604, 0o660, 0o601]) {
    await chmod(path, mode)
    await assert.rejects(readPrivate(path), saying(`chmod 600 ${path}`, `0${mode.toString(8)}`))
    await assert.rejects(existsPrivate(path), saying(path))
  }
})

test('private file: what cannot be written says which path', async (t) => {
  const path = join(await temporaryFolder(t), 'missing', 'key')
  await assert.rejects(writePrivate(path, ''), saying(path, 'ENOENT'))
})

test('private file: what cannot be read says which path', async (t) => {
  const path = join(await temporaryFolder(t), 'key')
  await mkdir(path, { mode: 0o700 })
  await assert.rejects(readPrivate(path), saying(path, 'EISDIR'))
})
