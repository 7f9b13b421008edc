import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { HawserError } from '@hawser/core'
import { readEdgeFile, removeEdgeFile, writeEdgeFile } from './edge-file.ts'
import type { EdgeFile } from './edge-file.ts'

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'hawser-edge-file-'))
  t.after(() => rm(made, { recursive: true }))
  return made
}

const edge: EdgeFile = { pid: 7, tunnel: '127.0.0.1:7844', api: 'http://127.0.0.1:7845/client/v4', accountId: 'acc' }

test('what one writes the other reads, and nothing else is left behind', async (t) => {
  const dir = await folder(t)
  await writeEdgeFile(dir, { ...edge, pid: 1 })
  await writeEdgeFile(dir, edge)
  assert.deepEqual(await readEdgeFile(dir), edge)
  assert.deepEqual(await readdir(dir), ['edge.json'])
})

test('a folder that cannot be written to is a storage failure', async (t) => {
  const missing = join(await folder(t), 'missing')
  await assert.rejects(writeEdgeFile(missing, edge), (error) => HawserError.is(error, 'storage_failed'))
})

test('without the file no edge is running', async (t) => {
  const dir = await folder(t)
  await writeEdgeFile(dir, edge)
  await removeEdgeFile(dir)
  await removeEdgeFile(dir)
  await assert.rejects(readEdgeFile(dir), (error) => HawserError.is(error, 'edge_unreachable'))
})

for (const text of ['', 'x', '{}', '[]', 'null', '7', '{"api":"http://h"}', '{"api":1,"accountId":"a"}']) {
  test(`${JSON.stringify(text)} is damaged, not a crash`, async (t) => {
    const dir = await folder(t)
    await writeFile(join(dir, 'edge.json'), text)
    await assert.rejects(readEdgeFile(dir), (error) => HawserError.is(error, 'config_invalid'))
  })
}
