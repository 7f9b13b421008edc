import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** Where simulated bindings keep what a Worker stores: a folder of the user's stays, a temporary one goes with `owner`. */
export async function storageFolder(persistTo: string | undefined, owner: AsyncDisposableStack): Promise<string> {
  if (persistTo !== undefined) return resolve(persistTo)
  const folder = await mkdtemp(join(tmpdir(), 'hawser-worker-'))
  // A process that just ends closes nothing; its `exit` event leaves time for this much.
  const onExit = (): void => rmSync(folder, { recursive: true, force: true })
  process.once('exit', onExit)
  owner.defer(async () => {
    process.off('exit', onExit)
    await rm(folder, { recursive: true, force: true })
  })
  return folder
}
