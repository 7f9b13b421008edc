import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { HawserError } from '@hawser/core'
import type { Logger } from '@hawser/core'
import { LAUNCHED_VARIABLE, workerdLauncher } from '../workerd-launcher.ts'

interface WorkerdPackage {
  /** Path of the binary. */
  readonly default: string
  /** The newest compatibility date that the binary knows. */
  readonly compatibilityDate: string
}

/** Read by Miniflare when it starts workerd; the only way to give it another one. */
const PATH_VARIABLE = 'MINIFLARE_WORKERD_PATH'

const workerd = createRequire(import.meta.url)('workerd') as WorkerdPackage

/**
 * Has Miniflare start the workerd of this package's own dependencies: the one it brings may be older, and older ones read a
 * peer's reset as a clean end. It is started so that it ends with this process. A path that the user set stays.
 *
 * @throws {HawserError} `runtime_failed` if it cannot be run; Miniflare would end the process
 */
export async function chooseWorkerd(): Promise<void> {
  const path = process.env[PATH_VARIABLE] ?? workerd.default
  try {
    await access(path, constants.X_OK)
  } catch (error) {
    throw new HawserError('runtime_failed', `${PATH_VARIABLE}: not a program: ${path}`, { cause: error })
  }
  if (process.env[PATH_VARIABLE] !== undefined) return
  process.env[LAUNCHED_VARIABLE] = path
  process.env[PATH_VARIABLE] = (await workerdLauncher()) ?? path
}

/** The date to run with: the configured one, as far as workerd knows it, else the newest it knows. */
export function compatibilityDate(configured: string | undefined, logger: Logger): string {
  const today = new Date().toISOString().slice(0, 10)
  const newest = workerd.compatibilityDate < today ? workerd.compatibilityDate : today
  if (configured === undefined) {
    logger.warn(`no "compatibility_date" in the configuration: using ${newest}`)
    return newest
  }
  if (configured <= newest) return configured
  logger.warn(`"compatibility_date" ${configured} is newer than workerd knows: using ${newest}`)
  return newest
}
