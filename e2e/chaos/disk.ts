import { execFile } from 'node:child_process'
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** Room for what an edge keeps, many times over. */
const SIZE_MIB = 64
const BALLAST = 'ballast'
const CHUNK = Buffer.alloc(1_048_576)

/** A small file system of its own, which can be filled up. */
export class SmallDisk implements AsyncDisposable {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  static async open(folder: string): Promise<SmallDisk> {
    await mkdir(folder, { recursive: true })
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m,mode=0700`, 'hawser-chaos', folder])
    return new SmallDisk(folder)
  }

  /** Leaves not a byte free. */
  async fill(): Promise<void> {
    await using file = await open(join(this.folder, BALLAST), 'w')
    for (let bytes = CHUNK.length; bytes >= 1;) {
      try {
        const { bytesWritten } = await file.write(CHUNK, 0, bytes)
        if (bytesWritten < bytes) bytes = Math.floor(bytes / 2)
      } catch {
        bytes = Math.floor(bytes / 2) // the next smaller piece may still fit
      }
    }
  }

  async free(): Promise<void> {
    await rm(join(this.folder, BALLAST), { force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run('umount', ['-l', this.folder]).catch(() => {})
  }
}
