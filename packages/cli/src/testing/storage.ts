import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HawserError } from '@hawser/core'

/** What a Worker under test stores, in a folder that goes with it. */
export interface TestStorage extends AsyncDisposable {
  readonly folder: string
}

const inUse = new Set<string>()

/** A process that just ends closes nothing; its `exit` event leaves time for this much. */
function removeAll(): void {
  for (const folder of inUse) rmSync(folder, { recursive: true, force: true })
}

/**
 * Makes room for what one Worker stores. However many there are, one listener waits for the end of the process: Node warns of
 * eleven.
 *
 * @throws {HawserError} `storage_failed`
 */
export async function openStorage(): Promise<TestStorage> {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-test-')).catch((error: unknown) => {
    throw HawserError.from(error, 'storage_failed')
  })
  if (inUse.size === 0) process.once('exit', removeAll)
  inUse.add(folder)
  return {
    folder,
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true })
      inUse.delete(folder)
      if (inUse.size === 0) process.off('exit', removeAll)
    },
  }
}
