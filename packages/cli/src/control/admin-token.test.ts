import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { HawserError } from '@hawser/core'
import { openDirectory } from '@hawser/directory'
import { CapturedLog } from '@hawser/testkit'
import { adminTokenFile, ensureAdminToken, readAdminToken } from './admin-token.ts'

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'hawser-admin-token-'))
  t.after(() => rm(made, { recursive: true }))
  return made
}

const newDirectory = (): ReturnType<typeof openDirectory> => openDirectory({ file: ':memory:', key: randomBytes(32) })

test('the first start makes a token that the API accepts, for its owner alone', async (t) => {
  const dir = await folder(t)
  await using directory = await newDirectory()
  const log = new CapturedLog()
  assert.equal(await ensureAdminToken(dir, directory, log), true)
  const { mode } = await stat(adminTokenFile(dir))
  assert.equal(mode & 0o777, 0o600)
  const token = await readAdminToken(dir)
  assert.equal((await directory.apiTokens.verify(token.reveal()))?.name, 'admin')
  assert.deepEqual(log.lines, [])
})

test('the next start keeps it', async (t) => {
  const dir = await folder(t)
  await using directory = await newDirectory()
  await ensureAdminToken(dir, directory, new CapturedLog())
  const before = await readFile(adminTokenFile(dir), 'utf8')
  assert.equal(await ensureAdminToken(dir, directory, new CapturedLog()), false)
  assert.equal(await readFile(adminTokenFile(dir), 'utf8'), before)
  assert.equal((await directory.apiTokens.list()).length, 1)
})

test('a token whose file was removed is replaced by one of another name', async (t) => {
  const dir = await folder(t)
  await using directory = await newDirectory()
  for (let n = 0; n < 3; n += 1) {
    await ensureAdminToken(dir, directory, new CapturedLog())
    await rm(adminTokenFile(dir))
  }
  const names = (await directory.apiTokens.list()).map(({ name }) => name)
  assert.deepEqual(names.toSorted(), ['admin', 'admin-2', 'admin-3'])
})

test('a token that was revoked stays revoked, and the log says so without the token', async (t) => {
  const dir = await folder(t)
  await using directory = await newDirectory()
  await writeFile(adminTokenFile(dir), 'hunter2\n')
  const log = new CapturedLog()
  assert.equal(await ensureAdminToken(dir, directory, log), false)
  assert.equal(log.at('warn').length, 1)
  assert.doesNotMatch(JSON.stringify(log.lines), /hunter2/)
  assert.deepEqual(await directory.apiTokens.list(), [])
})

test('a token that cannot be written is revoked again', async (t) => {
  const dir = await folder(t)
  await using directory = await newDirectory()
  const gone = join(dir, 'gone')
  await assert.rejects(ensureAdminToken(gone, directory, new CapturedLog()), (error) =>
    HawserError.is(error, 'storage_failed'),
  )
  assert.deepEqual(await directory.apiTokens.list(), [])
})

test('a file that cannot be read is storage_failed for the edge and unauthorized for a client', async (t) => {
  const dir = await folder(t)
  await using directory = await newDirectory()
  await mkdir(adminTokenFile(dir)) // a folder in its place: unreadable for root as well
  await chmod(adminTokenFile(dir), 0o700)
  await assert.rejects(ensureAdminToken(dir, directory, new CapturedLog()), (error) =>
    HawserError.is(error, 'storage_failed'),
  )
  await assert.rejects(readAdminToken(dir), (error) => HawserError.is(error, 'unauthorized'))
})
