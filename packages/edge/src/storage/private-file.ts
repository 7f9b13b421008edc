import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HawserError, systemCode } from '@hawser/core'

/** Readable and writable by its owner alone. */
const FILE_MODE = 0o600
/** Any permission for group or others. */
const LOOSE = 0o077

/** What went wrong with a path of the data directory, and what to do about it. */
export function storageError(path: string, what: string, cause?: unknown): HawserError {
  return new HawserError('storage_failed', `${path}: ${what}`, { cause })
}

/** `0755`, as chmod writes it. */
function octal(mode: number): string {
  return `0${(mode & 0o777).toString(8).padStart(3, '0')}`
}

/**
 * Refuses what others on this machine may read or change: it holds the keys of every tunnel.
 *
 * @param wanted the mode to set instead, for the message
 * @throws {HawserError} `storage_failed`
 */
export async function checkPrivate(path: string, wanted: '700' | '600'): Promise<void> {
  const { mode, uid } = await stat(path)
  const me = process.getuid?.() // undefined where the system knows no owners
  if (me !== undefined && uid !== me) {
    throw storageError(path, `belongs to user ${uid}, not to ${me} who runs this edge; change its owner or use another`)
  }
  if (me !== undefined && (mode & LOOSE) !== 0) {
    throw storageError(path, `may be read by others (mode ${octal(mode)}); run: chmod ${wanted} ${path}`)
  }
}

/**
 * Whether there is such a file, and that it is private.
 *
 * @throws {HawserError} `storage_failed` for loose permissions
 */
export async function existsPrivate(path: string): Promise<boolean> {
  try {
    await checkPrivate(path, '600')
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    if (HawserError.is(error)) throw error
    throw storageError(path, `cannot be read (${systemCode(error) ?? 'unknown error'})`, error)
  }
}

/**
 * The contents of a private file, or undefined where there is none.
 *
 * @throws {HawserError} `storage_failed` for loose permissions and read errors
 */
export async function readPrivate(path: string): Promise<Buffer | undefined> {
  if (!(await existsPrivate(path))) return undefined
  try {
    return await readFile(path)
  } catch (error) {
    throw storageError(path, `cannot be read (${systemCode(error) ?? 'unknown error'})`, error)
  }
}

/** Makes a rename last through a power cut. Not every system can open a directory; then its journal has to do. */
async function syncDirectory(path: string): Promise<void> {
  try {
    const directory = await open(path, 'r')
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  } catch (error) {
    if (!['EISDIR', 'EPERM', 'EINVAL', 'ENOTSUP'].includes(systemCode(error) ?? '')) throw error
  }
}

/**
 * Replaces a private file as a whole: whoever reads it, after a crash too, finds the old contents or the new.
 *
 * @throws {HawserError} `storage_failed`
 */
export async function writePrivate(path: string, contents: string | Uint8Array): Promise<void> {
  const temporary = `${path}.new` // one name, since the directory is locked: what a crash leaves is found again
  try {
    await rm(temporary, { force: true }) // `wx` below must not follow whatever lies there
    const file = await open(temporary, 'wx', FILE_MODE)
    try {
      await file.writeFile(contents)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncDirectory(dirname(path))
  } catch (error) {
    await rm(temporary, { force: true })
    throw storageError(path, `cannot be written (${systemCode(error) ?? 'unknown error'})`, error)
  }
}
