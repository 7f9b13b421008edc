import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HawserError, systemCode } from '@hawser/core'
import { ALIVE_SOCKET, FOLDER_PREFIX, sweepSocketDirs } from './dead-socket-dirs.ts'
import { listen, stopListening } from './listen.ts'

/** The kernel takes 107 bytes on Linux and 103 on macOS. */
const MAX_PATH_BYTES = 100
/** Room for a slash and the name of a socket. */
const NAME_BYTES = 12

/** A directory that only this user can enter, for the unix sockets of an edge. */
export class SocketDir implements AsyncDisposable {
  readonly path: string
  readonly #alive: Server
  #count = 0

  private constructor(path: string, alive: Server) {
    this.path = path
    this.#alive = alive
  }

  /**
   * Takes away beside it what processes that were killed have left.
   *
   * @param parents where to try, in order. @default the system's directory for temporary files, then `/tmp`
   * @throws {HawserError} `listen_failed`
   */
  static async create(parents: readonly string[] = [tmpdir(), '/tmp']): Promise<SocketDir> {
    const parent = parents.find(
      (candidate) => Buffer.byteLength(candidate) <= MAX_PATH_BYTES - NAME_BYTES - `/${FOLDER_PREFIX}XXXXXX`.length,
    )
    if (parent === undefined) {
      throw new HawserError('listen_failed', `${parents[0]}: too long for a unix socket; set TMPDIR to a shorter path`)
    }
    await sweepSocketDirs(parent)
    const path = await makeFolder(parent)
    const alive = createServer((socket) => socket.destroy()).unref()
    try {
      await listen(alive, { path: join(path, ALIVE_SOCKET) }, path)
    } catch (error) {
      await rm(path, { recursive: true, force: true })
      throw error
    }
    return new SocketDir(path, alive)
  }

  /** A path for one more socket, below 100 bytes. */
  next(): string {
    this.#count += 1
    return join(this.path, `b${this.#count}.sock`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stopListening(this.#alive)
    await rm(this.path, { recursive: true, force: true })
  }
}

async function makeFolder(parent: string): Promise<string> {
  try {
    return await mkdtemp(join(parent, FOLDER_PREFIX)) // mode 0700
  } catch (error) {
    throw new HawserError('listen_failed', `${parent}: no directory for sockets (${systemCode(error)})`, {
      cause: error,
    })
  }
}
