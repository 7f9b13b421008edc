import { HawserError } from '@hawser/core'
import { CommanderError } from 'commander'
import type { Command } from './command.ts'
import { buildProgram } from './program.ts'
import type { Invocation, ProgramOptions } from './program.ts'
import { optionName } from './read-flags.ts'

/** What came of a command line: a command to run, help that was printed, or nothing that could be run. */
export type ParsedLine =
  | { readonly kind: 'run'; readonly invocation: Invocation }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly error: HawserError; readonly hint: string | undefined }

const HELP_CODES = new Set(['commander.helpDisplayed', 'commander.version'])

/**
 * Takes the value off `--flag=value` where no command has such a flag: the value of a mistyped `--token=` must not come
 * back in the message, and the near miss is found by the name alone.
 */
function withoutStrayValues(line: readonly string[], known: ReadonlySet<string>): string[] {
  const end = line.indexOf('--')
  return line.map((word, at) => {
    const equals = word.indexOf('=')
    if (!word.startsWith('--') || equals === -1 || (end !== -1 && at >= end)) return word
    return known.has(word.slice(0, equals)) ? word : word.slice(0, equals)
  })
}

/** commander's message as ours: the sentence, and its suggestion as the hint. */
function toWrong(error: CommanderError): ParsedLine {
  // "error: unknown option '--tokn'\n(Did you mean --token?)"
  const [first = '', second] = error.message.replace(/^error: /, '').split('\n')
  const hint = second === undefined ? undefined : second.replace(/^\((.*)\)$/, '$1')
  return { kind: 'wrong', error: new HawserError('options_invalid', first), hint }
}

/** Reads a command line, the words after the program's name. */
export function parseLine(
  line: readonly string[],
  options: Omit<ProgramOptions, 'onInvoke'>,
  only?: Command,
): ParsedLine {
  let invocation: Invocation | undefined
  const program = buildProgram({ ...options, onInvoke: (invoked) => (invocation = invoked) }, only)
  const commands = only === undefined ? options.commands : [only]
  const keys = [options.common, ...commands.map(({ flags }) => flags)].flatMap((flags) => Object.keys(flags))
  try {
    program.parse(withoutStrayValues(line, new Set(keys.map(optionName))), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (HELP_CODES.has(error.code)) return { kind: 'help' }
    if (error.code !== 'commander.help') return toWrong(error)
    const wanted = new HawserError('options_invalid', 'a command is missing')
    return { kind: 'wrong', error: wanted, hint: undefined } // a group was named and none of its commands
  }
  if (invocation === undefined) throw new HawserError('proxy_internal_error', 'no command was chosen')
  return { kind: 'run', invocation }
}
