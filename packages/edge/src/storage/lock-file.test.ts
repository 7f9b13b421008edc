import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import { acquireLock } from './lock-file.ts'
import { temporaryFolder } from './temporary-folder.ts'

const inUse = (pid: number) => (error: unknown) =>
  HawserError.is(error, 'storage_failed') && error.message.includes(`process ${pid}`)

/** A process id that belonged to a process and does not any more. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  return child.pid ?? 0
}

test('lock: is held until it is released, and leaves nothing then', async (t) => {
  const folder = await temporaryFolder(t)
  const path = join(folder, 'edge.lock')
  const lock = await acquireLock(path)
  assert.equal(JSON.parse(await readFile(path, 'utf8')).pid, process.pid)
  await assert.rejects(acquireLock(path), inUse(process.pid))
  await lock.release()
  await lock.release()
  assert.deepEqual(await readdir(folder), [])
  await (await acquireLock(path)).release()
})

test('lock: one of a live process is respected', async (t) => {
  const path = join(await temporaryFolder(t), 'edge.lock')
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  try {
    await once(child, 'spawn')
    await writeFile(path, JSON.stringify({ pid: child.pid, started: '' }))
    await assert.rejects(acquireLock(path), inUse(child.pid ?? 0))
  } finally {
    child.kill()
    await once(child, 'exit')
  }
  await (await acquireLock(path)).release()
})

test('lock: one of a dead process is taken over', async (t) => {
  const folder = await temporaryFolder(t)
  const path = join(folder, 'edge.lock')
  await writeFile(path, JSON.stringify({ pid: await deadPid(), started: '1' }))
  const lock = await acquireLock(path)
  assert.deepEqual(await readdir(folder), ['edge.lock'])
  await lock.release()
})

test(
  'lock: a process id that has been given to another process holds nothing',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const path = join(await temporaryFolder(t), 'edge.lock')
    await writeFile(path, JSON.stringify({ pid: process.ppid, started: '1' }))
    await (await acquireLock(path)).release()
  },
)

test('lock: our own process id from a time before this process holds nothing', async (t) => {
  const path = join(await temporaryFolder(t), 'edge.lock')
  await writeFile(path, JSON.stringify({ pid: process.pid, started: '1' }))
  await (await acquireLock(path)).release()
})

test('lock: a damaged one is taken over', async (t) => {
  for (const text of ['', 'garbage', '[]', '{"pid":"x","started":""}', '{"pid":-1,"started":""}']) {
    const path = join(await temporaryFolder(t), 'edge.lock')
    await writeFile(path, text)
    await (await acquireLock(path)).release()
  }
})

/** Reaches for the lock in its own process, says whether it got it, and holds it until its input ends. */
const CONTENDER = `
  const { acquireLock } = await import(process.argv[1])
  const got = await acquireLock(process.argv[2]).then(() => 'yes', (error) => error.code)
  process.stdout.write(got)
  process.stdin.resume()
`

test('lock: of many processes that reach for a stale one at once, one gets it', { timeout: 30_000 }, async (t) => {
  const path = join(await temporaryFolder(t), 'edge.lock')
  await writeFile(path, JSON.stringify({ pid: await deadPid(), started: '1' }))
  const module = new URL('lock-file.ts', import.meta.url).href
  const children = Array.from({ length: 5 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', CONTENDER, module, path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  )
  const answers = await Promise.all(children.map(async (child) => String(await once(child.stdout, 'data'))))
  assert.deepEqual(answers.toSorted(), [...Array.from({ length: 4 }, () => 'storage_failed'), 'yes'])
  for (const child of children) child.stdin.end()
  await Promise.all(children.map((child) => once(child, 'exit')))
})

test('lock: of many in one process, one gets it', async (t) => {
  const path = join(await temporaryFolder(t), 'edge.lock')
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => acquireLock(path)))
  const held = results.filter((result) => result.status === 'fulfilled')
  assert.equal(held.length, 1)
  await held[0]?.value.release()
})

test('lock: a guard left by a crash is named, with what to do', async (t) => {
  const path = join(await temporaryFolder(t), 'edge.lock')
  await writeFile(path, JSON.stringify({ pid: await deadPid(), started: '1' }))
  await writeFile(`${path}.takeover`, '')
  const named = (error: unknown): boolean => HawserError.is(error) && error.message.includes(`delete ${path}.takeover`)
  await assert.rejects(acquireLock(path), named)
  await rm(`${path}.takeover`)
  await (await acquireLock(path)).release()
})

test('lock: a folder that is not there says which path', async (t) => {
  const path = join(await temporaryFolder(t), 'missing', 'edge.lock')
  await assert.rejects(
    acquireLock(path),
    (error) => HawserError.is(error, 'storage_failed') && error.message.includes(path),
  )
})
