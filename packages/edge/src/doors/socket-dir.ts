import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HawserError, systemCode } from '@hawser/core'

/** The kernel takes 107 bytes on Linux and 103 on macOS. */
const MAX_PATH_BYTES = 100
/** Room for a slash and the name of a socket. */
const NAME_BYTES = 12

/** A directory that only this user can enter, for the unix sockets of an edge. */
export class SocketDir implements AsyncDisposable {
  readonly path: string
  #count = 0

  private constructor(path: string) {
    this.path = path
  }

  /**
   * @param parents where to try, in order. @default the system's directory for temporary files, then `/tmp`
   * @throws {HawserError} `listen_failed`
   */
  static async create(parents: readonly string[] = [tmpdir(), '/tmp']): Promise<SocketDir> {
    const parent = parents.find(
      (candidate) => Buffer.byteLength(candidate) <= MAX_PATH_BYTES - NAME_BYTES - '/hawser-XXXXXX'.length,
    )
    if (parent === undefined) {
      throw new HawserError('listen_failed', `${parents[0]}: too long for a unix socket; set TMPDIR to a shorter path`)
    }
    try {
      return new SocketDir(await mkdtemp(join(parent, 'hawser-'))) // mode 0700
    } catch (error) {
      throw new HawserError('listen_failed', `${parent}: no directory for sockets (${systemCode(error)})`, {
        cause: error,
      })
    }
  }

  /** A path for one more socket, below 100 bytes. */
  next(): string {
    this.#count += 1
    return join(this.path, `b${this.#count}.sock`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }
}
