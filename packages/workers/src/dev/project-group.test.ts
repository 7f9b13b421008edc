import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { FakeEdge } from '../fake-edge.ts'
import { wranglerConfig, writeProject } from '../test-project.ts'
import { ProjectGroup } from './project-group.ts'
import type { GroupSource } from './project-group.ts'

const LIMIT = { timeout: 30_000 }
const NEVER = new AbortController().signal

/** Two Workers in folders of their own. */
async function source(t: TestContext, names = ['front', 'stock']): Promise<GroupSource & { readonly folder: string }> {
  const files = names.flatMap((name, at) => [
    [`${at}/wrangler.json`, wranglerConfig({ name, main: 'index.ts' })] as const,
    [`${at}/index.ts`, `export default { fetch: () => new Response('${name} 1') }`] as const,
  ])
  const folder = await writeProject(t, Object.fromEntries(files))
  const [configPath = '', ...otherConfigPaths] = names.map((_name, at) => join(folder, String(at)))
  return { folder, configPath, otherConfigPaths, logger: new CapturedLog() }
}

test('the first Worker is the one that answers, and all are read, watched and built', LIMIT, async (t) => {
  assertNoLeaks(t)
  const { folder, ...from } = await source(t)
  await using group = await ProjectGroup.read(from)
  await using edge = await FakeEdge.start()
  assert.equal(group.config.name, 'front')
  assert.deepEqual(
    group.configs.map(({ name }) => name),
    ['front', 'stock'],
  )
  const wranglers = ['0', '1'].map((name) => join(folder, name, 'wrangler.json'))
  assert.deepEqual(group.files, wranglers)
  assert.ok(wranglers.every((file) => group.isConfiguration(file)))
  assert.ok(!group.isConfiguration(join(folder, 'wrangler.json')))
  const built = await group.build([], NEVER)
  const sources = ['0', '1'].map((name) => join(folder, name, 'index.ts'))
  assert.deepEqual(built.inputs, sources)
  const watched = new Set(group.watched(built.inputs, undefined).files)
  assert.ok([...wranglers, ...sources, join(folder, '1', 'hawser.jsonc')].every((file) => watched.has(file)))
  const { config, others } = await group.parts(built, edge)
  assert.deepEqual([config.name, others.map((other) => other.config.name)], ['front', ['stock']])
})

test('a version is another one once any of them is', LIMIT, async (t) => {
  assertNoLeaks(t)
  const { folder, ...from } = await source(t)
  await using group = await ProjectGroup.read(from)
  const first = await group.build([], NEVER)
  assert.ok(!first.isSame(undefined))
  assert.ok((await group.build([], NEVER)).isSame(first))
  const file = join(folder, '1', 'index.ts')
  await writeFile(file, `export default { fetch: () => new Response('stock 2') }`)
  assert.ok(!(await group.build([file], NEVER)).isSame(first))
})

test('two Workers of one name are refused, with both files', LIMIT, async (t) => {
  const from = await source(t, ['same', 'same'])
  await assert.rejects(ProjectGroup.read(from), {
    code: 'config_invalid',
    message: /"name" must differ between Workers, got "same" in .*0\/wrangler\.json and .*1\/wrangler\.json$/,
  })
})
