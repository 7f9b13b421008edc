import assert from 'node:assert/strict'
import { chmod, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import { CapturedLog } from '@hawser/testkit'
import { DAY_MS, expiryOf } from './certificates.ts'
import { DATA_FILES, openDataDir } from './data-dir.ts'
import type { DataDir } from './data-dir.ts'
import { temporaryFolder } from './temporary-folder.ts'

const START = Date.UTC(2030, 0, 1)

interface Opened {
  readonly dir: DataDir
  readonly log: CapturedLog
}

async function open(path: string, now: () => number = () => START): Promise<Opened> {
  const log = new CapturedLog()
  return { dir: await openDataDir({ path, serverName: 'edge.hawser', logger: log, now }), log }
}

/** Opens and closes once, so that there is a data directory at the path returned. */
async function madeBefore(t: TestContext): Promise<string> {
  const path = join(await temporaryFolder(t), 'data')
  const { dir } = await open(path)
  await dir.close()
  return path
}

const refused =
  (...parts: string[]) =>
  (error: unknown): boolean =>
    HawserError.is(error, 'storage_failed') && parts.every((part) => error.message.includes(part))

test('data dir: the first start makes everything, for its owner alone', async (t) => {
  const path = join(await temporaryFolder(t), 'a', 'b')
  const { dir, log } = await open(path)
  assert.equal((await stat(path)).mode & 0o777, 0o700)
  assert.deepEqual((await readdir(path)).toSorted(), Object.values(DATA_FILES).toSorted())
  for (const name of Object.values(DATA_FILES)) assert.equal((await stat(join(path, name))).mode & 0o777, 0o600, name)
  assert.match(dir.edgeId, /^[0-9a-f]{16}$/)
  assert.equal(dir.directoryKey.length, 32)
  assert.match(dir.caPem, /^-----BEGIN CERTIFICATE/)
  assert.doesNotMatch(dir.caPem, /PRIVATE/)
  assert.equal(dir.directoryFile, join(path, 'directory.sqlite'))
  assert.equal(log.lines.length, 1)
  await dir.close()
  assert.equal((await readdir(path)).includes(DATA_FILES.lock), false)
})

test('data dir: later starts find the same', async (t) => {
  const path = join(await temporaryFolder(t), 'data')
  const { dir: first } = await open(path)
  await first.close()
  const { dir: second, log } = await open(path)
  assert.equal(second.edgeId, first.edgeId)
  assert.equal(second.caPem, first.caPem)
  assert.deepEqual(second.directoryKey, first.directoryKey)
  assert.equal(second.certificate.certPem, first.certificate.certPem)
  assert.deepEqual(log.lines, [])
  await second.close()
})

test('data dir: one that others may enter is refused, with the command that mends it', async (t) => {
  const path = await madeBefore(t)
  for (const mode of [0o755, 0o750, 0o701]) {
    await chmod(path, mode)
    await assert.rejects(open(path), refused(`chmod 700 ${path}`))
  }
})

test('data dir: a file that others may read is refused, whichever it is', async (t) => {
  const path = await madeBefore(t)
  for (const name of Object.values(DATA_FILES).filter((file) => file !== DATA_FILES.lock)) {
    await chmod(join(path, name), 0o644)
    await assert.rejects(open(path), refused(`chmod 600 ${join(path, name)}`))
    await chmod(join(path, name), 0o600)
  }
  await (await open(path)).dir.close()
})

test('data dir: another live edge in it is respected, and named', async (t) => {
  const path = await madeBefore(t)
  const { dir } = await open(path)
  await assert.rejects(open(path), refused(path, `process ${process.pid}`))
  await dir.close()
  await (await open(path)).dir.close()
})

test('data dir: a file in the place of the folder is refused', async (t) => {
  const path = join(await temporaryFolder(t), 'data')
  await writeFile(path, '')
  await assert.rejects(open(path), refused(path, 'is not a directory'))
  await assert.rejects(open(join(path, 'below')), refused(path))
})

test('data dir: a missing file is never made anew over what depends on it', async (t) => {
  for (const name of [DATA_FILES.authority, DATA_FILES.directoryKey, DATA_FILES.edgeId]) {
    const path = await madeBefore(t)
    await rm(join(path, name))
    await assert.rejects(open(path), refused(join(path, name), 'restore'))
  }
})

test('data dir: a damaged file is refused', async (t) => {
  for (const name of [DATA_FILES.authority, DATA_FILES.directoryKey, DATA_FILES.edgeId]) {
    const path = await madeBefore(t)
    await writeFile(join(path, name), 'garbage')
    await assert.rejects(open(path), refused(join(path, name), 'damaged'))
  }
})

test('data dir: a first start that was cut short is made good by the next', async (t) => {
  const path = await madeBefore(t)
  await rm(join(path, DATA_FILES.edgeId))
  await rm(join(path, DATA_FILES.directory))
  await (await open(path)).dir.close()
})

test('data dir: a certificate with 30 days left stays, with less it is renewed', async (t) => {
  const path = await madeBefore(t)
  let now = START
  const { dir } = await open(path, () => now)
  const before = dir.certificate.certPem
  now = expiryOf(dir.certificate) - 31 * DAY_MS
  assert.equal(await dir.renewIfDue(), false)
  assert.equal(dir.certificate.certPem, before)
  now = expiryOf(dir.certificate) - 29 * DAY_MS
  assert.equal(await dir.renewIfDue(), true)
  assert.notEqual(dir.certificate.certPem, before)
  assert.ok(expiryOf(dir.certificate) - now > 364 * DAY_MS)
  assert.equal(await dir.renewIfDue(), false)
  await dir.close()
})

test('data dir: an expired certificate is renewed at the start, under the same authority', async (t) => {
  const path = await madeBefore(t)
  const { dir, log } = await open(path, () => START + 500 * DAY_MS)
  assert.ok(expiryOf(dir.certificate) > START + 800 * DAY_MS)
  assert.match(log.lines[0]?.message ?? '', /renewed/)
  await dir.close()
})

test('data dir: a certificate that is missing or damaged is issued again', async (t) => {
  const path = await madeBefore(t)
  await rm(join(path, DATA_FILES.certificate))
  await (await open(path)).dir.close()
  await writeFile(join(path, DATA_FILES.certificate), 'garbage')
  const { dir } = await open(path)
  assert.match(dir.certificate.certPem, /BEGIN CERTIFICATE/)
  await dir.close()
})

test('data dir: an authority in its last year is spoken of', async (t) => {
  const path = await madeBefore(t)
  const { dir, log } = await open(path, () => START + 3_500 * DAY_MS)
  assert.equal(log.at('warn').length, 1)
  await dir.close()
})
