import { HawserError } from '@hawser/core'

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
