import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { assertNoLeaks } from '@hawser/testkit'
import { temporaryFolder } from '../storage/temporary-folder.ts'
import { SocketDir } from './socket-dir.ts'

const TIMEOUT = { timeout: 30_000 }

/** Long enough ago for a directory that nobody uses. */
async function age(path: string): Promise<void> {
  await utimes(path, 0, 0)
}

/** Another process with a directory in `parent`; it stays until it is killed. */
async function otherProcess(parent: string): Promise<{ path: string; kill: () => Promise<void> }> {
  const module = pathToFileURL(join(import.meta.dirname, 'socket-dir.ts')).href
  const code = `import { SocketDir } from ${JSON.stringify(module)}
    const dir = await SocketDir.create([${JSON.stringify(parent)}])
    setInterval(() => {}, 1e6)
    console.log(dir.path)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  const ended = once(child, 'close')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  return { path: said.toString().trim(), kill }
}

test(
  'socket dir: what a killed process left goes at the next start, what a living one has stays',
  TIMEOUT,
  async (t) => {
    assertNoLeaks(t)
    const parent = await temporaryFolder(t)
    await using own = await SocketDir.create([parent])
    const other = await otherProcess(parent)
    t.after(other.kill)
    for (const path of [own.path, other.path]) await age(path)
    {
      await using third = await SocketDir.create([parent])
      assert.deepEqual(
        (await readdir(parent)).toSorted(),
        [own, other, third].map(({ path }) => basename(path)).toSorted(),
      )
    }
    await other.kill()
    assert.ok((await readdir(parent)).includes(basename(other.path)), 'a process that is killed takes nothing away')
    await age(other.path)
    await using fourth = await SocketDir.create([parent])
    assert.deepEqual((await readdir(parent)).toSorted(), [own, fourth].map(({ path }) => basename(path)).toSorted())
  },
)

test('socket dir: what is young, a link, or has another name stays', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const parent = await temporaryFolder(t)
  const [young, link, foreign] = ['hawser-sockets-young1', 'hawser-sockets-link12', 'hawser-abc123'] as const
  await mkdir(join(parent, young))
  await mkdir(join(parent, foreign))
  await writeFile(join(parent, foreign, 'file'), 'x')
  await age(join(parent, foreign))
  await symlink(foreign, join(parent, link))
  {
    await using _dir = await SocketDir.create([parent])
  }
  assert.deepEqual((await readdir(parent)).toSorted(), [foreign, link, young].toSorted())
  assert.deepEqual(await readdir(join(parent, foreign)), ['file'])
})
