import type { LogFields, Logger } from '@hawser/core'

export interface CapturedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: LogFields
}

/** A logger that keeps its lines, so that a test can say what was logged and how often. */
export class CapturedLog implements Logger {
  readonly lines: CapturedLine[]
  readonly #fields: LogFields

  constructor(lines: CapturedLine[] = [], fields: LogFields = {}) {
    this.lines = lines
    this.#fields = fields
  }

  debug(message: string, fields?: LogFields): void {
    this.#keep('debug', message, fields)
  }

  info(message: string, fields?: LogFields): void {
    this.#keep('info', message, fields)
  }

  warn(message: string, fields?: LogFields): void {
    this.#keep('warn', message, fields)
  }

  error(message: string, fields?: LogFields): void {
    this.#keep('error', message, fields)
  }

  child(fields: LogFields): Logger {
    return new CapturedLog(this.lines, { ...this.#fields, ...fields })
  }

  /** Lines of one level, in order. */
  at(level: CapturedLine['level']): CapturedLine[] {
    return this.lines.filter((line) => line.level === level)
  }

  #keep(level: CapturedLine['level'], message: string, fields: LogFields = {}): void {
    this.lines.push({ level, message, fields: { ...this.#fields, ...fields } })
  }
}
