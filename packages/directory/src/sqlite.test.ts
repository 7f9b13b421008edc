import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { Secret } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { openDirectory } from './directory.ts'
import { STORE_SUITE } from './store-suite.ts'

const KEY = Buffer.alloc(32, 1)

for (const [title, body] of Object.entries(STORE_SUITE)) {
  test(`sqlite: ${title}`, async (t) => {
    assertNoLeaks(t)
    await using directory = await openDirectory({ file: ':memory:', key: KEY })
    await body(directory)
  })
}

async function directoryFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-directory-'))
  t.after(() => rm(folder, { recursive: true }))
  return join(folder, 'directory.db')
}

test('a file keeps what was in it', async (t) => {
  assertNoLeaks(t)
  const file = await directoryFile(t)
  const before = await openDirectory({ file, key: KEY })
  const tunnel = await before.tunnels.create({ name: 'lab' })
  const secret = await before.tunnels.secretOf(tunnel.id)
  const { id, token } = await before.apiTokens.create('ci')
  await before.close()

  await using after = await openDirectory({ file, key: Buffer.from(KEY) })
  assert.equal(after.accountId, before.accountId)
  assert.deepEqual(await after.tunnels.list(), [tunnel])
  assert.equal((await after.tunnels.secretOf(tunnel.id))?.reveal(), secret?.reveal())
  assert.deepEqual(await after.apiTokens.verify(token.reveal()), { id, name: 'ci' })
})

test('two directories are two accounts', async (t) => {
  assertNoLeaks(t)
  await using one = await openDirectory({ file: ':memory:', key: KEY })
  await using two = await openDirectory({ file: ':memory:', key: KEY })
  assert.notEqual(one.accountId, two.accountId)
})

test('neither secrets nor tokens nor the key are in the file in clear, and only its owner can read it', async (t) => {
  assertNoLeaks(t)
  const file = await directoryFile(t)
  const directory = await openDirectory({ file, key: KEY })
  const secret = new Secret(Buffer.from('correct horse battery staple, 32').toString('base64'))
  const { id } = await directory.tunnels.create({ name: 'lab', secret })
  const { token } = await directory.apiTokens.create('ci')
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.equal((await stat(`${file}-wal`)).mode & 0o777, 0o600)
  await directory.close()

  const bytes = await readFile(file)
  assert.ok(bytes.includes(id))
  for (const clear of [secret.reveal(), 'correct horse', token.reveal(), token.reveal().slice(7), KEY]) {
    assert.equal(bytes.includes(clear), false)
  }
})

test('deleting a tunnel leaves not even the sealed secret in the file', async (t) => {
  assertNoLeaks(t)
  const file = await directoryFile(t)
  const directory = await openDirectory({ file, key: KEY })
  const { id } = await directory.tunnels.create({ name: 'lab' })
  const peek = new DatabaseSync(file, { readOnly: true })
  const sealed = String(peek.prepare('select sealed_secret from tunnels').get()?.['sealed_secret'])
  peek.close()
  await directory.tunnels.delete(id)
  await directory.close()
  const bytes = await readFile(file)
  assert.ok(bytes.includes(id))
  assert.equal(bytes.includes(sealed), false)
})

test('another key is said to be another key, and changes nothing', async (t) => {
  assertNoLeaks(t)
  const file = await directoryFile(t)
  await (await openDirectory({ file, key: KEY })).close()
  await assert.rejects(openDirectory({ file, key: Buffer.alloc(32, 2) }), {
    code: 'storage_failed',
    message: 'the directory was encrypted with another key',
  })
  await (await openDirectory({ file, key: KEY })).close()
})

test('a key of the wrong size is refused before the file is touched', async (t) => {
  assertNoLeaks(t)
  const file = await directoryFile(t)
  for (const size of [0, 16, 31, 33]) {
    await assert.rejects(openDirectory({ file, key: Buffer.alloc(size) }), {
      code: 'options_invalid',
      message: `key: expected 32 bytes, got ${size}`,
    })
  }
  await assert.rejects(stat(file), { code: 'ENOENT' })
})

test('a secret moved to another row does not open there', async (t) => {
  assertNoLeaks(t)
  const file = await directoryFile(t)
  await using directory = await openDirectory({ file, key: KEY })
  const one = await directory.tunnels.create({ name: 'one' })
  const two = await directory.tunnels.create({ name: 'two' })
  const raw = new DatabaseSync(file)
  const stolen = 'update tunnels set sealed_secret = (select sealed_secret from tunnels where id = ?) where id = ?'
  raw.prepare(stolen).run(one.id, two.id)
  raw.close()
  await assert.rejects(directory.tunnels.secretOf(two.id), { code: 'storage_failed', message: /cannot be decrypted/ })
  assert.ok(await directory.tunnels.secretOf(one.id))
})

test('a file that is no database, a damaged one and a folder are reported by name', async (t) => {
  assertNoLeaks(t)
  const file = await directoryFile(t)
  const refused = (path: string): Promise<void> =>
    assert.rejects(openDirectory({ file: path, key: KEY }), (error) => {
      assert.ok(error instanceof Error)
      assert.ok(error.message.includes(path), error.message)
      return 'code' in error && error.code === 'storage_failed'
    })

  await writeFile(file, 'not a database, '.repeat(1_000))
  await refused(file)

  await rm(file)
  const directory = await openDirectory({ file, key: KEY })
  for (let at = 0; at < 50; at += 1) await directory.tunnels.create({ name: `tunnel ${at}` })
  await directory.close()
  const whole = await readFile(file)
  for (const size of [50, 1_000, 4_096, whole.length - 4_096]) {
    await writeFile(file, whole)
    await truncate(file, size)
    await refused(file)
  }

  await writeFile(file, whole)
  const handle = await open(file, 'r+')
  await handle.write(Buffer.alloc(4_096, 0xee), 0, 4_096, 4_096)
  await handle.close()
  await refused(file)

  await refused(tmpdir())
  await refused(join(tmpdir(), 'hawser-no-such-folder', 'directory.db'))
})

test('a directory written by a newer version is refused, not guessed at', async (t) => {
  assertNoLeaks(t)
  const file = await directoryFile(t)
  await (await openDirectory({ file, key: KEY })).close()
  const raw = new DatabaseSync(file)
  raw.exec("insert into kysely_migration values ('9999_from_the_future', '2099-01-01T00:00:00.000Z')")
  raw.close()
  await assert.rejects(openDirectory({ file, key: KEY }), {
    code: 'storage_failed',
    message: /9999_from_the_future is missing/,
  })
})

/** Opens the directory when it reads a line, makes a tunnel of its own, and prints the account and what it sees. */
const OPENER = `
  import { once } from 'node:events'
  import { openDirectory } from ${JSON.stringify(new URL('directory.ts', import.meta.url).href)}
  process.stdout.write('ready\\n')
  await once(process.stdin, 'data')
  const directory = await openDirectory({ file: process.argv[1], key: Buffer.alloc(32, 1) })
  await directory.tunnels.create({ name: process.argv[2] })
  process.stdout.write(JSON.stringify([directory.accountId, (await directory.tunnels.list()).length]) + '\\n')
  await directory.close()
  process.stdin.destroy()
`

test('processes that open one new file at the same moment agree on what is in it', { timeout: 60_000 }, async (t) => {
  assertNoLeaks(t)
  const file = await directoryFile(t)
  const children = ['a', 'b', 'c', 'd'].map((name) => {
    const flags = ['--input-type=module', '-e', OPENER, file, name]
    return spawn(process.execPath, flags, { stdio: ['pipe', 'pipe', 'inherit'], signal: t.signal })
  })
  const lines = children.map((child) => createInterface({ input: child.stdout })[Symbol.asyncIterator]())
  for (const line of lines) assert.equal((await line.next()).value, 'ready')
  for (const child of children) child.stdin.write('go\n')
  const seen = await Promise.all(
    lines.map(async (line) => JSON.parse((await line.next()).value ?? '') as [string, number]),
  )
  for (const child of children) if (child.exitCode === null) await once(child, 'exit')

  await using directory = await openDirectory({ file, key: KEY })
  assert.equal((await directory.tunnels.list()).length, 4)
  assert.deepEqual(new Set(seen.map(([accountId]) => accountId)), new Set([directory.accountId]))
  assert.equal(Math.max(...seen.map(([, tunnels]) => tunnels)), 4)
})
