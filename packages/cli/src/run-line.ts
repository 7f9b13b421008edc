import type { Logger } from '@hawser/core'
import type { Command, FlagSpec } from './command.ts'
import { describeFailure, EXIT_FAILURE, EXIT_OK, exitCodeOf } from './failure.ts'
import type { LogFormat, LogLevel } from './log.ts'
import { outputTo } from './output.ts'
import type { TextSink } from './output.ts'
import { parseLine } from './parse-line.ts'
import type { ProgramOptions } from './program.ts'
import { readFlags } from './read-flags.ts'

/** What a command line runs in; `main` takes it from `process`, tests bring their own. */
export interface LineContext {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly stdout: TextSink
  readonly stderr: TextSink & { readonly isTTY?: boolean | undefined }
  /** See `CommandContext`. */
  readonly signal: AbortSignal
  readonly abort: AbortSignal
}

/** A program without what a run of it decides. */
export type Program = Omit<ProgramOptions, 'onInvoke' | 'write' | 'common'>

/** Flags of every command. The default of the format depends on where stderr leads. */
const logFlags = {
  logLevel: {
    kind: 'choice',
    choices: ['debug', 'info', 'warn', 'error'],
    default: 'info',
    env: 'HAWSER_LOG_LEVEL',
    help: 'least important log lines to write',
    placeholder: 'level',
  },
  logFormat: {
    kind: 'choice',
    choices: ['text', 'json'],
    env: 'HAWSER_LOG_FORMAT',
    help: 'form of log lines on stderr; text on a terminal and json elsewhere, unless given',
    placeholder: 'format',
  },
} as const satisfies Record<string, FlagSpec>

/** Lines go to stderr: stdout is for results. */
async function openLog(flags: Readonly<Record<string, unknown>>, context: LineContext): Promise<Logger> {
  const { createLogger } = await import('./log.ts') // pino, not needed for help
  const onTerminal = context.stderr.isTTY === true
  return createLogger({
    level: flags['logLevel'] as LogLevel,
    format: (flags['logFormat'] as LogFormat | undefined) ?? (onTerminal ? 'text' : 'json'),
    colour: onTerminal && (context.env['NO_COLOR'] ?? '') === '',
    sink: context.stderr,
  })
}

/**
 * Runs one command line to its end.
 *
 * @param only see `buildProgram`
 * @returns the exit code: 0 done, 1 failed, 2 used wrongly; what went wrong is on stderr by then
 */
export async function runLine(
  line: readonly string[],
  program: Program,
  context: LineContext,
  only?: Command,
): Promise<number> {
  // Collected first, since only the outcome tells whether it belongs on stdout or on stderr.
  const help = { text: '' }
  const write = (text: string): void => void (help.text += text)
  const parsed = parseLine(line, { ...program, common: logFlags, write }, only)
  if (parsed.kind === 'help') {
    context.stdout.write(help.text)
    return EXIT_OK
  }
  if (parsed.kind === 'wrong') {
    const hint = parsed.hint ?? `See: ${program.name} --help`
    context.stderr.write(`${help.text}hawser: ${parsed.error.message} (${parsed.error.code})\n${hint}\n`)
    return exitCodeOf(parsed.error)
  }
  const { command, args, raw } = parsed.invocation
  try {
    const flags = readFlags({ ...command.flags, ...logFlags }, raw, context)
    const { signal, abort } = context
    const logger = await openLog(flags, context)
    await command.run({ args, flags, logger, out: outputTo(context.stdout), signal, abort })
    return abort.aborted ? EXIT_FAILURE : EXIT_OK
  } catch (error) {
    context.stderr.write(describeFailure(error, only === undefined ? `${program.name} ${command.name}` : program.name))
    return exitCodeOf(error)
  }
}
