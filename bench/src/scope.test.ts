import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { Scope } from './scope.ts'

const never = new AbortController().signal

async function sleeper(): Promise<ChildProcess> {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  await once(child, 'spawn')
  return child
}

test('disposal ends the children and removes the folder with all that is in it', async (t) => {
  assertNoLeaks(t)
  const scope = await Scope.open(never)
  const child = await sleeper()
  scope.own(child)
  await writeFile(join(scope.folder, 'file'), 'content')
  await scope[Symbol.asyncDispose]()
  assert.equal(child.signalCode, 'SIGTERM')
  assert.equal(existsSync(scope.folder), false)
})

test('disposing twice is disposing once', async () => {
  const scope = await Scope.open(never)
  let released = 0
  scope.defer(() => Promise.resolve(void (released += 1)))
  await Promise.all([scope[Symbol.asyncDispose](), scope[Symbol.asyncDispose]()])
  await scope[Symbol.asyncDispose]()
  assert.equal(released, 1)
})

test('what came last goes first', async () => {
  const order: number[] = []
  {
    await using scope = await Scope.open(never)
    for (const turn of [1, 2, 3]) scope.defer(() => Promise.resolve(void order.push(turn)))
  }
  assert.deepEqual(order, [3, 2, 1])
})

test('a child that has already ended is no obstacle', async (t) => {
  assertNoLeaks(t)
  const scope = await Scope.open(never)
  const child = spawn('true', { stdio: 'ignore' })
  scope.own(child)
  await once(child, 'exit')
  await scope[Symbol.asyncDispose]()
})

test('a nested scope goes with the outer one, or earlier by itself', async (t) => {
  assertNoLeaks(t)
  const outer = await Scope.open(never)
  const [early, late] = [await outer.nested(), await outer.nested()]
  const child = await sleeper()
  late.own(child)
  await early[Symbol.asyncDispose]()
  assert.equal(existsSync(early.folder), false)
  assert.equal(existsSync(late.folder), true)
  await outer[Symbol.asyncDispose]()
  assert.equal(child.signalCode, 'SIGTERM')
  assert.equal(existsSync(outer.folder), false)
})

test('no scope opens once the run is interrupted', async () => {
  await assert.rejects(Scope.open(AbortSignal.abort(new Error('interrupted'))), /interrupted/)
})

test(
  'a process that exits without disposing still ends its children and removes its folder',
  { timeout: 20_000 },
  async () => {
    const code = `
    import { spawn } from 'node:child_process'
    import { Scope } from ${JSON.stringify(new URL('scope.ts', import.meta.url).href)}
    const scope = await Scope.open(new AbortController().signal)
    const nested = await scope.nested()
    const child = spawn('sleep', ['60'], { stdio: ['ignore', 'inherit', 'ignore'] })
    child.once('spawn', () => {
      nested.own(child)
      process.stdout.write(scope.folder, () => process.exit())
    })`
    const child = spawn(process.execPath, ['--input-type=module', '-e', code])
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    // The grandchild writes to the same pipe: 'close' comes only when both have let go of it.
    await once(child, 'close')
    assert.match(output, /hawser-bench-/)
    assert.equal(existsSync(output), false)
  },
)
