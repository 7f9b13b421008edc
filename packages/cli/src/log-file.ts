import { closeSync, openSync, writeSync } from 'node:fs'
import { HawserError, systemCode } from '@hawser/core'
import type { TextSink } from './output.ts'

/** Readable by the group, so that a log shipper need not be root. */
const MODE = 0o640

/**
 * A file that lines are appended to, at once: the last line before a crash is the one that is needed. A line that cannot be
 * written (a full disk) goes to `instead`, for a log must not end what it tells about.
 */
export class LogFile implements TextSink, Disposable {
  readonly #path: string
  readonly #instead: TextSink
  #fd: number | undefined

  /** @throws {HawserError} `options_invalid` where it cannot be opened now */
  constructor(path: string, instead: TextSink) {
    this.#path = path
    this.#instead = instead
    try {
      this.#fd = openSync(path, 'a', MODE)
    } catch (error) {
      throw new HawserError('options_invalid', `--log-file: ${path}: ${systemCode(error) ?? String(error)}`)
    }
  }

  write(text: string): void {
    const bytes = Buffer.from(text)
    let written = 0
    try {
      if (this.#fd === undefined) this.#fd = openSync(this.#path, 'a', MODE)
      while (written < bytes.length) written += writeSync(this.#fd, bytes, written)
    } catch {
      this.#instead.write(text) // whole, even where half of it got into the file
    }
  }

  /** Lets go of the file; the next line opens whatever has its name by then. What `logrotate` asks for by SIGHUP. */
  reopen(): void {
    const fd = this.#fd
    this.#fd = undefined
    if (fd === undefined) return
    try {
      closeSync(fd)
    } catch {
      // It is gone either way.
    }
  }

  [Symbol.dispose](): void {
    this.reopen()
  }
}
