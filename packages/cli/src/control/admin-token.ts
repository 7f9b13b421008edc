import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HawserError, Secret, systemCode } from '@hawser/core'
import type { Logger } from '@hawser/core'
import type { Directory } from '@hawser/directory'

const NAME = 'admin-token'

/** Path of the file that holds the API token of this machine's own commands. */
export function adminTokenFile(dataDir: string): string {
  return join(dataDir, NAME)
}

/** @throws {HawserError} `unauthorized` where there is none or it may not be read */
export async function readAdminToken(dataDir: string): Promise<Secret> {
  const file = adminTokenFile(dataDir)
  try {
    return new Secret((await readFile(file, 'utf8')).trim())
  } catch (error) {
    throw new HawserError('unauthorized', `${file}: ${systemCode(error) ?? String(error)}`, { cause: error })
  }
}

/** A name that no token has: `admin`, or `admin-2` after the first was lost. */
async function freeName(directory: Directory): Promise<string> {
  const taken = new Set((await directory.apiTokens.list()).map(({ name }) => name))
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? 'admin' : `admin-${n}`
    if (!taken.has(name)) return name
  }
}

/**
 * Sees to it that the data directory has an admin API token, readable by its owner alone. One that is there stays, even if
 * it was revoked: who revoked it meant it.
 *
 * @returns whether one was made
 * @throws {HawserError} `storage_failed`
 */
export async function ensureAdminToken(dataDir: string, directory: Directory, logger: Logger): Promise<boolean> {
  const file = adminTokenFile(dataDir)
  const present = await readFile(file, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined
    throw new HawserError('storage_failed', `${file}: ${systemCode(error) ?? String(error)}`, { cause: error })
  })
  if (present !== undefined) {
    const known = await directory.apiTokens.verify(present.trim())
    if (known === undefined)
      logger.warn('the admin token is not valid; remove its file to have a new one made', { file })
    return false
  }
  const { id, token } = await directory.apiTokens.create(await freeName(directory))
  try {
    await writeFile(file, `${token.reveal()}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    await directory.apiTokens.revoke(id) // a token that nobody can read must not stay
    throw new HawserError('storage_failed', `${file}: ${systemCode(error) ?? String(error)}`, { cause: error })
  }
  return true
}
