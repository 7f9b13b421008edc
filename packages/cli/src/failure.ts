import { ERRORS, HawserError } from '@hawser/core'
import { hintFor } from './hints.ts'
import { printable } from './output.ts'

/** Done, or stopped in good order. */
export const EXIT_OK = 0
/** Something did not work; the same command may work later. */
export const EXIT_FAILURE = 1
/** The command line, a configuration file or a token is wrong: starting again without a change is pointless. */
export const EXIT_USAGE = 2

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): number {
  if (!HawserError.is(error)) return EXIT_FAILURE
  return error.code === 'address_invalid' || ERRORS[error.code].class === 'usage' ? EXIT_USAGE : EXIT_FAILURE
}

/** `hawser: <sentence> (<code>)`, and the hint on a line of its own. A fault of ours keeps its stack. */
export function describeFailure(error: unknown, command: string): string {
  if (!HawserError.is(error)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return `hawser: a fault inside Hawser (proxy_internal_error)\n${stack}\n`
  }
  const hint = hintFor(error, command)
  // Of a configuration file there may be several things to say, a line each; all else is one line, wherever it comes from.
  const lines = error.code === 'config_invalid' ? error.message.split('\n') : [error.message]
  const sentence = `hawser: ${lines.map(printable).join('\n')} (${error.code})\n`
  return hint === undefined ? sentence : `${sentence}${hint}\n`
}
