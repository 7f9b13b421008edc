/** Projects for tests: a folder with a Worker in it, gone when the test ends. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'

const REPOSITORY = join(import.meta.dirname, '..', '..', '..')

/**
 * @param files path in the project → text, bytes, or a value to write as JSON
 * @returns the absolute path of the project's folder, whose `node_modules` are those of the repository
 */
export async function writeProject(t: TestContext, files: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-project-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await symlink(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'))
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true })
    const isPlain = typeof content === 'string' || content instanceof Uint8Array
    await writeFile(path, isPlain ? content : JSON.stringify(content, undefined, 2))
  }
  return folder
}

/** A configuration that is right, for tests to break or add to. */
export function wranglerConfig(extra: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { name: 'test-worker', main: 'index.ts', compatibility_date: '2026-07-01', ...extra }
}
