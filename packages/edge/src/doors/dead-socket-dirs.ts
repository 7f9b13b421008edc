import { lstat, readdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { systemCode } from '@hawser/core'

/** How the names of these directories begin; six letters of chance follow. */
export const FOLDER_PREFIX = 'hawser-sockets-'
/** A process listens here for as long as it has its directory: unlike its id, that means the same in every container. */
export const ALIVE_SOCKET = 'alive.sock'

/** One that is younger may not listen yet. */
const MIN_AGE_MS = 60_000
/** What connecting says where nobody listens any more. */
const DEAD: ReadonlySet<string | undefined> = new Set(['ECONNREFUSED', 'ENOENT'])

/** Takes away this user's socket directories in `parent` whose processes have ended without doing so. Never rejects. */
export async function sweepSocketDirs(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => [])
  for (const name of names) {
    if (!name.startsWith(FOLDER_PREFIX)) continue
    const path = join(parent, name)
    if ((await isOwn(path)) && (await isDead(join(path, ALIVE_SOCKET)))) {
      await rm(path, { recursive: true, force: true }).catch(() => {}) // the next start tries again
    }
  }
}

/** Others may write in `parent`: what is theirs, or a link, is not followed. */
async function isOwn(path: string): Promise<boolean> {
  try {
    const found = await lstat(path)
    return found.isDirectory() && found.uid === process.getuid?.() && Date.now() - found.mtimeMs > MIN_AGE_MS
  } catch {
    return false
  }
}

/** The kernel answers for a process that listens, even one that stands still. */
function isDead(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath)
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', (error) => resolve(DEAD.has(systemCode(error))))
  })
}
