import { globSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'

const [LIBRARY] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')

/**
 * The clock of one process, which can be set without touching the machine's. libfaketime answers in place of the C library; it
 * moves the time of day and leaves the monotonic clock alone, as a step of the real clock does.
 */
export class ProcessClock {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /** Undefined where libfaketime is not installed (Debian: `libfaketime`). */
  static async open(path: string): Promise<ProcessClock | undefined> {
    if (LIBRARY === undefined) return undefined
    const clock = new ProcessClock(path)
    await clock.jump(0)
    return clock
  }

  /** For the process whose clock it is. */
  get env(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: LIBRARY ?? '',
      NODE_OPTIONS: `--import=${new URL('own-clock.ts', import.meta.url).href}`,
      FAKETIME_TIMESTAMP_FILE: this.#path,
      FAKETIME_CACHE_DURATION: '1', // seconds until a jump is noticed; without, every look at the clock reads the file
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
  }

  /** Sets the clock to `seconds` from the real time. */
  async jump(seconds: number): Promise<void> {
    await writeFile(this.#path, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`)
  }
}
