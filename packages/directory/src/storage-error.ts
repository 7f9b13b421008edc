import { HawserError } from '@hawser/core'
import type { Engine } from './engine.ts'

/**
 * Runs work on the database and gives what goes wrong there a code. Errors that have one already pass as they are.
 *
 * @param what what was being done, for the message: `list tunnels`
 * @throws {HawserError} `storage_failed`
 */
export async function guardStorage<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (HawserError.is(error)) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new HawserError('storage_failed', `directory: could not ${what}: ${reason}`, { cause: error })
  }
}

/**
 * As {@link guardStorage}, for work that adds or changes a row. The unique index decides on what is in use, not a look
 * beforehand: two writers may come at once.
 *
 * @param taken what to say where the index has refused
 * @throws {HawserError} `storage_failed`, `conflict`
 */
export function guardUnique<T>(engine: Engine, what: string, taken: string, work: () => Promise<T>): Promise<T> {
  return guardStorage(what, async () => {
    try {
      return await work()
    } catch (error) {
      if (!engine.isDuplicate(error)) throw error
      throw new HawserError('conflict', taken, { cause: error })
    }
  })
}
