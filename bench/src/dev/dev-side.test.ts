import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { findFreePort } from '../ports.ts'
import { Scope } from '../scope.ts'
import { hawserDev, wranglerDev } from './dev-side.ts'
import { makeProject } from './project.ts'
import { untilAnswer } from './until-answer.ts'

const LIMIT = { timeout: 120_000 }
const never = new AbortController().signal

for (const side of [hawserDev, wranglerDev]) {
  for (const example of [undefined, 'postgres']) {
    test(`${side.name} serves ${example ?? 'the smallest Worker'}, and what it becomes`, LIMIT, async (t) => {
      assertNoLeaks(t)
      const absence = await side.absence()
      if (absence !== undefined) return t.skip(absence)
      await using scope = await Scope.open(never)
      const project = await makeProject(join(scope.folder, 'project'), example)
      await project.save('revision 0')
      const port = await findFreePort()
      const server = await side.start(scope, project.folder, port)
      await untilAnswer(server, port, 'revision 0', scope)
      await project.save('revision 1')
      await untilAnswer(server, port, 'revision 1', scope)
    })
  }
}

test('a copy of an example has all its own files, and its main module behind ours', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using scope = await Scope.open(never)
  const project = await makeProject(join(scope.folder, 'project'), 'postgres')
  await project.save('revision 7')
  assert.deepEqual(await readdir(join(project.folder, 'src')), ['index.ts', 'project.ts'])
  assert.match(await readFile(join(project.folder, 'src/project.ts'), 'utf8'), /from 'pg'/)
  assert.match(
    await readFile(join(project.folder, 'src/index.ts'), 'utf8'),
    /import project from '.\/project.ts'[^]*revision 7/,
  )
  assert.match(await readFile(join(project.folder, 'wrangler.jsonc'), 'utf8'), /vpc_networks/)
})

test('a server that ends instead of answering is reported with what it printed', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using scope = await Scope.open(never)
  const port = await findFreePort()
  const server = await hawserDev.start(scope, scope.folder, port) // a folder without any project
  await assert.rejects(untilAnswer(server, port, 'revision 0', scope), /ended with 2, last answer "": .*wrangler/s)
})

test('an interruption ends the wait for an answer', LIMIT, async (t) => {
  assertNoLeaks(t)
  const interruption = new AbortController()
  await using scope = await Scope.open(interruption.signal)
  const server = { pid: 0, tail: () => '', ended: never }
  const waiting = untilAnswer(server, await findFreePort(), 'revision 0', scope)
  interruption.abort(new Error('interrupted'))
  await assert.rejects(waiting, /interrupted/)
})
