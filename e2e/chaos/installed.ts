import { execFile } from 'node:child_process'
import { cp, mkdir, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const PACKAGE = fileURLToPath(new URL('../../packages/cli/', import.meta.url))
const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url))

/**
 * Builds Hawser and lays it out in `folder` as npm installs it: the launcher, the built files, the dependencies, no sources. What
 * people run is what is judged: from sources a start takes three times the CPU, and three at once took most of the time
 * that a recovery may take. And whoever edits a source during a run does not change what is started next.
 *
 * @returns the launcher's path
 * @throws {Error} with what the build printed
 */
export async function installHawser(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  const tsdown = createRequire(join(PACKAGE, 'package.json')).resolve('tsdown/run')
  const env = { ...process.env, HAWSER_BUILD_DIR: join(folder, 'dist') }
  await run(process.execPath, [tsdown, '--logLevel', 'warn'], { cwd: PACKAGE, env })
  await cp(join(PACKAGE, 'bin'), join(folder, 'bin'), { recursive: true })
  await symlink(MODULES, join(folder, 'node_modules'))
  return join(folder, 'bin', 'hawser.mjs')
}
