import type { LogFields, Logger } from '@hawser/core'

function write(message: string, fields: LogFields = {}): void {
  process.stderr.write(`${message} ${JSON.stringify(fields)}\n`)
}

/** Everything but what is for debugging, to standard error. */
export const stderrLogger: Logger = {
  debug: () => {},
  info: write,
  warn: write,
  error: write,
  child: () => stderrLogger,
}
