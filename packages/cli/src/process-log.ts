import { HawserError } from '@hawser/core'
import type { Logger } from '@hawser/core'
import { describeFailure } from './failure.ts'
import { hintFor } from './hints.ts'
import { createLogger } from './log.ts'
import type { LogFormat, LogLevel } from './log.ts'
import { LogFile } from './log-file.ts'
import type { TextSink } from './output.ts'

/** The common flags about logs, read, and where the process writes otherwise. */
export interface ProcessLogOptions {
  readonly level: LogLevel
  /** Undefined where nobody said: text on a terminal, else json. */
  readonly format: LogFormat | undefined
  /** Absolute path of a file that takes the lines instead of stderr. */
  readonly file: string | undefined
  readonly stderr: TextSink & { readonly isTTY?: boolean | undefined }
  readonly colour: boolean
}

/** The log of one process: its lines, and its last words. */
export class ProcessLog implements Disposable {
  readonly logger: Logger
  /**
   * True where JSON was asked for: then all that the process writes about its life is a JSON line, for a collector that
   * reads stdout and stderr alike.
   */
  readonly isJson: boolean
  readonly #file: LogFile | undefined
  readonly #stderr: TextSink

  /** @throws {HawserError} `options_invalid` for a file that cannot be opened */
  constructor(options: ProcessLogOptions) {
    const { level, format, file, stderr, colour } = options
    const onTerminal = stderr.isTTY === true && file === undefined
    this.isJson = format === 'json'
    this.#stderr = stderr
    this.#file = file === undefined ? undefined : new LogFile(file, stderr)
    this.logger = createLogger({
      level,
      format: format ?? (onTerminal ? 'text' : 'json'),
      colour: onTerminal && colour,
      sink: this.#file ?? stderr,
    })
  }

  /** Whether lines go to a file. */
  get hasFile(): boolean {
    return this.#file !== undefined
  }

  /** Begins the file anew, after somebody has moved it away. */
  reopen(): void {
    this.#file?.reopen()
  }

  /**
   * Says why the process ends: as a line of the log where that is JSON or a file, and as a sentence on stderr for people.
   *
   * @param command what was typed to start it, for the hint
   */
  fail(error: unknown, command: string): void {
    const told = HawserError.from(error, 'proxy_internal_error')
    if (this.isJson || this.hasFile) {
      this.logger.error('failed', { code: told.code, error, hint: hintFor(told, command) })
    }
    if (!this.isJson) this.#stderr.write(describeFailure(error, command))
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]()
  }
}
