import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { deleteNamespace, namespaceNames } from './net/ip.ts'

const run = promisify(execFile)

/** Of namespaces and folders; the process id of the harness follows. */
export const PREFIX = 'hawser-chaos-'

/** Which harness a name belongs to; undefined for other people's names. */
export function ownerOf(name: string): number | undefined {
  const pid = /^hawser-chaos-(\d+)(?:-|$)/.exec(name)?.[1]
  return pid === undefined ? undefined : Number(pid)
}

function isGone(name: string): boolean {
  const pid = ownerOf(name)
  return pid !== undefined && pid !== process.pid && !existsSync(`/proc/${pid}`)
}

/** What libfaketime leaves behind for a process that was killed. */
const SHARED_MEMORY = '/dev/shm'

async function removeSharedMemory(): Promise<void> {
  for (const name of await readdir(SHARED_MEMORY).catch(() => [])) {
    const pid = /^(?:sem\.)?faketime_(?:shm|sem)_(\d+)$/.exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await rm(join(SHARED_MEMORY, name), { force: true })
  }
}

/** Takes away what runs that were killed have left: processes, namespaces, mounts, folders. */
export async function removeLeftovers(): Promise<void> {
  await removeSharedMemory()
  for (const name of (await namespaceNames()).filter(isGone)) await deleteNamespace(name)
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '')
  const folders = (await readdir(tmpdir())).filter(isGone).map((name) => join(tmpdir(), name))
  for (const folder of folders) {
    for (const mount of mounts.filter((path) => path.startsWith(`${folder}/`))) await run('umount', ['-l', mount])
    await rm(folder, { recursive: true, force: true })
  }
}
