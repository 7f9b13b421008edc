import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { join } from 'node:path'

/** Names the binary that {@link workerdLauncher} becomes. */
export const LAUNCHED_VARIABLE = 'HAWSER_WORKERD'

/** Shipped as it is, beside the main file. */
const SCRIPT = join(import.meta.dirname, 'workerd-launcher.sh')
/** What runs it; the smallest of container images have none. */
const SHELL = '/bin/sh'

/**
 * A program that becomes workerd and ties its life to this process: Miniflare ends workerd with the process, but not where
 * that one is killed. Undefined where no kernel does this, or where the script cannot be run.
 */
export async function workerdLauncher(): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined
  try {
    await Promise.all([SCRIPT, SHELL].map((path) => access(path, constants.X_OK)))
    return SCRIPT
  } catch {
    return undefined
  }
}
