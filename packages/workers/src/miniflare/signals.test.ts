import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { assertNoLeaks } from '@hawser/testkit'
import { wranglerConfig, writeProject } from '../test-project.ts'
import { withoutExitHooks } from './signals.ts'

const LIMIT = { timeout: 30_000 }

test('listeners that Miniflare puts on signals and messages are taken off, others stay', (t) => {
  const mine = (): void => {}
  const added = (): void => {}
  for (const event of ['SIGINT', 'SIGTERM', 'message', 'exit']) process.on(event, mine)
  t.after(() => {
    for (const event of ['SIGINT', 'SIGTERM', 'message', 'exit']) process.off(event, mine).off(event, added)
  })
  const result = withoutExitHooks(() => {
    for (const event of ['SIGINT', 'SIGTERM', 'message', 'exit']) process.on(event, added)
    return 'made'
  })
  assert.equal(result, 'made')
  for (const event of ['SIGINT', 'SIGTERM', 'message']) {
    const now: readonly unknown[] = process.listeners(event as 'exit')
    assert.deepEqual([now.includes(mine), now.includes(added)], [true, false], event)
  }
  assert.ok(process.listeners('exit').includes(added), 'workerd is still ended with the process')
})

/** Sends a signal to a process alone, as `kill` does, or to its whole group, as Ctrl-C in a terminal does. */
type Send = (pid: number) => void

const sigterm: Send = (pid) => process.kill(pid, 'SIGTERM')
const sigkill: Send = (pid) => process.kill(pid, 'SIGKILL')
const controlC: Send = (pid) => process.kill(-pid, 'SIGINT')

/** Runs a Worker in a process of its own that does `onReady`, sends it a signal once it serves, and collects what it prints. */
async function terminate(t: TestContext, onReady: string, send: Send = sigterm) {
  const folder = await writeProject(t, {
    'wrangler.jsonc': wranglerConfig(),
    'index.ts': `export default { fetch: () => new Response('x') }`,
    'tmp/.keep': '',
  })
  const url = (file: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, '..', file)).href)
  const code = `
    import { silentLogger } from '@hawser/core'
    import { runWorker } from ${url('run-worker.ts')}
    import { FakeEdge } from ${url('fake-edge.ts')}
    const edge = await FakeEdge.start()
    const worker = await runWorker({ configPath: ${JSON.stringify(folder)}, host: edge, logger: silentLogger })
    ${onReady}
    console.log(worker.url)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: join(folder, 'tmp') },
    detached: true,
  })
  const lines: string[] = []
  const output = createInterface(child.stdout)
  output.on('line', (line) => lines.push(line))
  const [ready] = (await once(output, 'line', { signal: t.signal })) as [string]
  assert.ok(child.pid !== undefined)
  send(child.pid)
  const [status] = (await once(child, 'close', { signal: t.signal })) as [number | null]
  const left = (await readdir(join(folder, 'tmp'))).filter((name) => /^(?:hawser-worker|miniflare)-/.test(name))
  return { status, lines: lines.slice(1), url: ready, left }
}

async function isAnswered(url: string): Promise<boolean> {
  return fetch(url, { headers: { connection: 'close' } }).then(
    (response) => response.text().then(() => true),
    () => false,
  )
}

test('a process that listens for SIGTERM decides itself how to end', LIMIT, async (t) => {
  assertNoLeaks(t)
  const { status, lines } = await terminate(
    t,
    `process.once('SIGTERM', async () => {
       console.log(await (await worker.fetch('/')).text())
       await worker.close()
       await edge[Symbol.asyncDispose]()
       console.log('closed')
     })`,
  )
  assert.deepEqual([status, lines], [0, ['x', 'closed']])
})

test('a process that does not is ended by it, and workerd with it', LIMIT, async (t) => {
  assertNoLeaks(t)
  const { status, url, left } = await terminate(t, '')
  assert.equal(status, 143)
  assert.deepEqual(left, [], 'what the Worker stored is gone too')
  await assert.rejects(fetch(url))
})

const setpriv = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'])

test('a process that is killed takes workerd with it', { ...LIMIT, skip: setpriv.status !== 0 }, async (t) => {
  assertNoLeaks(t)
  const { status, url } = await terminate(t, '', sigkill)
  assert.equal(status, null)
  // The kernel tells workerd at once, and workerd ends in its own time.
  while (await isAnswered(url)) t.signal.throwIfAborted()
})

test('Ctrl-C reaches workerd too, and the process still closes everything in order', LIMIT, async (t) => {
  assertNoLeaks(t)
  const { status, lines } = await terminate(
    t,
    `process.once('SIGINT', async () => {
       await worker.close()
       await edge[Symbol.asyncDispose]()
       console.log('closed')
     })`,
    controlC,
  )
  assert.deepEqual([status, lines], [0, ['closed']])
})
