import type { LogLevel } from './connector-settings.ts'

/** Values of a log line. Secrets are `Secret`s and print as a mask. */
export type LogFields = Readonly<Record<string, unknown>> & {
  /** What a sink writes itself; a field of that name would be there twice. */
  readonly [key in 'time' | 'level' | 'message']?: never
}

/** Where log lines go. Nothing on the data path logs per frame or per chunk. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** The same sink with `fields` on every line. */
  child(fields: LogFields): Logger
  /** Writes from this level on, here and in all relatives; undefined for what it was made with. Missing where that is fixed. */
  setLevel?(level: LogLevel | undefined): void
}

const discard = (): void => {}

export const silentLogger: Logger = {
  debug: discard,
  info: discard,
  warn: discard,
  error: discard,
  child: () => silentLogger,
}
