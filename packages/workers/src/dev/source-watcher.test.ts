import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { SourceWatcher } from './source-watcher.ts'

const LIMIT = { timeout: 10_000 }

/** What a watcher says, one batch after another. */
class Batches {
  readonly #ready: (readonly string[])[] = []
  #wake: (() => void) | undefined
  readonly push = (files: readonly string[]): void => {
    this.#ready.push(files)
    this.#wake?.()
  }

  async next(): Promise<readonly string[]> {
    while (this.#ready.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#ready.shift() ?? []
  }
}

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-watch-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('tells of a file that is written, replaced or comes to be, and of no other', LIMIT, async (t) => {
  const folder = await folderOf(t)
  const [a, b, other] = ['a.ts', 'b.ts', 'other.ts'].map((name) => join(folder, name)) as [string, string, string]
  await writeFile(a, '1')
  const batches = new Batches()
  using watcher = new SourceWatcher(batches.push)
  watcher.watch({ files: [a, b] })
  await writeFile(other, 'x')
  await writeFile(a, '2')
  assert.deepEqual(await batches.next(), [a])
  await rename(other, a)
  assert.deepEqual(await batches.next(), [a])
  await writeFile(b, '1')
  assert.deepEqual(await batches.next(), [b])
})

test('many changes at once are told together', LIMIT, async (t) => {
  const folder = await folderOf(t)
  const files = ['a', 'b', 'c', 'd'].map((name) => join(folder, name))
  const batches = new Batches()
  using watcher = new SourceWatcher(batches.push)
  watcher.watch({ files })
  await Promise.all(files.map((file) => writeFile(file, '1')))
  assert.deepEqual((await batches.next()).toSorted(), files)
})

test('of a folder every file counts, of a tree everything below', LIMIT, async (t) => {
  const folder = await folderOf(t)
  const deep = join(folder, 'tree', 'deep')
  await mkdir(deep, { recursive: true })
  const batches = new Batches()
  using watcher = new SourceWatcher(batches.push)
  watcher.watch({ files: [], folders: [folder], trees: [join(folder, 'tree')] })
  await writeFile(join(folder, 'new.ts'), '1')
  assert.deepEqual(await batches.next(), [join(folder, 'new.ts')])
  await writeFile(join(deep, 'a.txt'), '1')
  assert.ok((await batches.next()).includes(join(deep, 'a.txt')))
})

test('what is no longer watched is passed over, packages and missing folders always', LIMIT, async (t) => {
  const folder = await folderOf(t)
  const [a, b] = [join(folder, 'a.ts'), join(folder, 'sub', 'b.ts')]
  await mkdir(join(folder, 'sub'))
  const packages = join(folder, 'node_modules', 'p')
  await mkdir(packages, { recursive: true })
  const batches = new Batches()
  using watcher = new SourceWatcher(batches.push)
  watcher.watch({ files: [a, join(packages, 'index.js')], trees: [join(folder, 'missing')] })
  watcher.watch({ files: [b, join(packages, 'index.js')] })
  await writeFile(a, '1')
  await writeFile(join(packages, 'index.js'), '1')
  await writeFile(b, '1')
  assert.deepEqual(await batches.next(), [b])
})

test(
  'a tree is watched once it is there, however late and however deep, and when it is made anew',
  LIMIT,
  async (t) => {
    const folder = await folderOf(t)
    const tree = join(folder, 'public', 'assets')
    const batches = new Batches()
    using watcher = new SourceWatcher(batches.push)
    watcher.watch({ files: [], trees: [tree] })
    const until = async (file: string): Promise<void> => {
      while (!(await batches.next()).includes(file));
    }
    await mkdir(join(folder, 'public'))
    await mkdir(tree)
    await until(tree)
    await writeFile(join(tree, 'a.txt'), '1')
    await until(join(tree, 'a.txt'))
    await rm(tree, { recursive: true })
    await until(tree)
    await mkdir(tree)
    await until(tree)
    await writeFile(join(tree, 'b.txt'), '1')
    await until(join(tree, 'b.txt'))
  },
)

test('of a tree, what wrangler, Hawser and git keep in it does not count', LIMIT, async (t) => {
  const folder = await folderOf(t)
  for (const name of ['.wrangler', '.git']) await mkdir(join(folder, name))
  const batches = new Batches()
  using watcher = new SourceWatcher(batches.push)
  watcher.watch({ files: [], trees: [folder] })
  for (const name of ['.wrangler/state', '.git/index', 'index.html']) await writeFile(join(folder, name), '1')
  assert.deepEqual(await batches.next(), [join(folder, 'index.html')])
})
