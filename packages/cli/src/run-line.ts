import type { Command, FlagSpec } from './command.ts'
import { describeFailure, EXIT_FAILURE, EXIT_OK, exitCodeOf } from './failure.ts'
import type { LogFormat, LogLevel } from './log.ts'
import { outputTo } from './output.ts'
import type { TextSink } from './output.ts'
import type { ProcessLog } from './process-log.ts'
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
  /** Called with the log of the command before it runs. */
  readonly onLog?: (log: ProcessLog) => void
}

/** A program without what a run of it decides. */
export type Program = Omit<ProgramOptions, 'onInvoke' | 'write' | 'common'>

/** Flags of every command. The default of the format depends on where stderr leads. */
export const LOG_FLAGS = {
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
  logFile: {
    kind: 'path',
    env: 'HAWSER_LOG_FILE',
    help: 'file to append log lines to, instead of stderr; json unless told otherwise, opened anew on SIGHUP',
    placeholder: 'file',
  },
} as const satisfies Record<string, FlagSpec>

/** Lines go to stderr unless there is a file: stdout is for results. */
async function openLog(flags: Readonly<Record<string, unknown>>, context: LineContext): Promise<ProcessLog> {
  const { ProcessLog: Log } = await import('./process-log.ts') // with pino, not needed for help
  return new Log({
    level: flags['logLevel'] as LogLevel,
    format: flags['logFormat'] as LogFormat | undefined,
    file: flags['logFile'] as string | undefined,
    stderr: context.stderr,
    colour: (context.env['NO_COLOR'] ?? '') === '',
  })
}

/** The words of a line that name a command or a group of them, as far as they do. */
function namedWords(line: readonly string[], { commands }: Program, only: Command | undefined): readonly string[] {
  if (only !== undefined) return []
  const named = (length: number): boolean => {
    const words = line.slice(0, length)
    return (
      words.length === length &&
      commands.some(({ name }) => name.split(' ').slice(0, length).join(' ') === words.join(' '))
    )
  }
  return line.slice(0, [2, 1].find(named) ?? 0)
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
  const parsed = parseLine(line, { ...program, common: LOG_FLAGS, write }, only)
  if (parsed.kind === 'help') {
    context.stdout.write(help.text)
    return EXIT_OK
  }
  if (parsed.kind === 'wrong') {
    const hint = parsed.hint ?? `See: ${[program.name, ...namedWords(line, program, only)].join(' ')} --help`
    context.stderr.write(`${help.text}hawser: ${parsed.error.message} (${parsed.error.code})\n${hint}\n`)
    return exitCodeOf(parsed.error)
  }
  const { command, args, raw } = parsed.invocation
  let log: ProcessLog | undefined
  try {
    const flags = readFlags({ ...command.flags, ...LOG_FLAGS }, raw, context)
    const { signal, abort } = context
    log = await openLog(flags, context)
    context.onLog?.(log)
    const { logger, isJson: jsonLogs } = log
    await command.run({ args, flags, logger, jsonLogs, out: outputTo(context.stdout), signal, abort })
    return abort.aborted ? EXIT_FAILURE : EXIT_OK
  } catch (error) {
    const typed = only === undefined ? `${program.name} ${command.name}` : program.name
    if (log === undefined) context.stderr.write(describeFailure(error, typed))
    else log.fail(error, typed)
    return exitCodeOf(error)
  } finally {
    log?.[Symbol.dispose]()
  }
}
