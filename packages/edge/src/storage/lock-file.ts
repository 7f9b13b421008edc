import { randomBytes } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { HawserError, systemCode } from '@hawser/core'
import { storageError } from './private-file.ts'

/** Who holds a lock. A process id alone is not enough: they are reused, and in a container every edge may be process 1. */
interface Holder {
  readonly pid: number
  /** When the system says the process started, in its own unit; empty where it does not say. */
  readonly started: string
}

/** Locks that this process has or is reaching for: its own id in a file proves nothing. */
const heldHere = new Set<string>()
const MAX_TRIES = 5
const RETRY_MS = 20

/** Linux tells it in field 22 of the process's stat file (proc(5)). */
async function startOf(pid: number): Promise<string> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  if (holder.pid === process.pid) return false // of a process before us: ours would be in `heldHere`
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return false // EPERM: alive, and someone else's
  }
  const started = await startOf(holder.pid)
  return started === '' || holder.started === '' || started === holder.started
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('started' in value)) return undefined
    const { pid, started } = value
    if (typeof pid !== 'number' || !Number.isInteger(pid) || pid < 1 || typeof started !== 'string') return undefined
    return { pid, started }
  } catch {
    return undefined
  }
}

/** Its text, or undefined where it is gone by now. */
async function readLock(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Puts our lock in the place of a dead edge's. Looking and replacing are two steps, so only who holds the guard may take
 * them: otherwise a slow starter would replace the lock of a faster one.
 *
 * @returns false where someone else is at it or was faster
 */
async function replaceStale(path: string, stale: string, temporary: string): Promise<boolean> {
  const guard = `${path}.takeover`
  try {
    await link(temporary, guard)
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
  try {
    if ((await readLock(path)) !== stale) return false
    await rename(temporary, path)
    return true
  } finally {
    await rm(guard, { force: true })
  }
}

function inUse(path: string, pid: number): HawserError {
  return storageError(path, `another edge (process ${pid}) uses this data directory; stop it or use another one`)
}

async function tryLock(path: string, temporary: string): Promise<boolean> {
  try {
    await link(temporary, path) // appears with its contents, or not at all
    return true
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
  const text = await readLock(path)
  if (text === undefined) return false
  const holder = parseHolder(text)
  if (holder !== undefined && (await isAlive(holder))) {
    throw inUse(path, holder.pid)
  }
  return replaceStale(path, text, temporary)
}

/**
 * Takes a lock that lasts until {@link LockFile.release} or the end of this process; one left by a dead process is taken
 * over.
 *
 * @throws {HawserError} `storage_failed` where a live process holds it
 */
export async function acquireLock(path: string): Promise<LockFile> {
  if (heldHere.has(path)) throw inUse(path, process.pid)
  heldHere.add(path)
  try {
    return await acquire(path)
  } catch (error) {
    heldHere.delete(path)
    throw HawserError.is(error)
      ? error
      : storageError(path, `cannot be written (${systemCode(error) ?? 'unknown error'})`, error)
  }
}

async function acquire(path: string): Promise<LockFile> {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  const own: Holder = { pid: process.pid, started: await startOf(process.pid) }
  try {
    await writeFile(temporary, JSON.stringify(own), { mode: 0o600, flag: 'wx', flush: true })
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      if (await tryLock(path, temporary)) return new LockFile(path)
      await setTimeout(RETRY_MS)
    }
  } finally {
    await rm(temporary, { force: true })
  }
  throw storageError(path, `several edges are starting here at once; if that is not so, delete ${path}.takeover`)
}

/** A lock this process holds. */
export class LockFile {
  readonly #path: string
  #released = false

  constructor(path: string) {
    this.#path = path
  }

  /** Idempotent. */
  async release(): Promise<void> {
    if (this.#released) return
    this.#released = true
    await rm(this.#path, { force: true })
    heldHere.delete(this.#path)
  }
}
