import { Command as Parser, Option } from '@commander-js/extra-typings'
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import type { Command, FlagSpec } from './command.ts'
import { optionName } from './read-flags.ts'

/** What a command line asks for, before its flags are read. */
export interface Invocation {
  readonly command: Command
  readonly args: Readonly<Record<string, string>>
  /** Values of the options by flag key, as text. */
  readonly raw: Readonly<Record<string, unknown>>
}

/** What a program consists of. */
export interface ProgramOptions {
  /** What is typed to start it. */
  readonly name: string
  readonly summary: string
  readonly version: string
  readonly commands: readonly Command[]
  /** One sentence for each first word that several commands share. */
  readonly groups: Readonly<Record<string, string>>
  /** Flags that every command has. */
  readonly common: Readonly<Record<string, FlagSpec>>
  /** Where help and the version go. */
  readonly write: (text: string) => void
  readonly onInvoke: (invocation: Invocation) => void
}

/** What stands for a value in help, by kind. */
const PLACEHOLDERS: Readonly<Record<FlagSpec['kind'], string>> = {
  string: 'text',
  number: 'number',
  boolean: '',
  duration: 'duration',
  hostPort: 'host:port',
  cidr: 'cidr',
  path: 'path',
  url: 'url',
  choice: 'choice',
}

/** The help of a flag with what else there is to know about it. */
function describeFlag(spec: FlagSpec): string {
  const notes = [
    spec.required === true ? 'required' : '',
    spec.choices === undefined ? '' : spec.choices.join(' | '),
    spec.default === undefined ? '' : `default ${spec.default}`,
    spec.implied === undefined ? '' : `without a value ${spec.implied}`,
    spec.env === undefined ? '' : `env ${spec.env}`,
    spec.repeatable === true ? 'may be repeated' : '',
  ].filter((note) => note !== '')
  return notes.length === 0 ? spec.help : `${spec.help} (${notes.join(', ')})`
}

/** Values stay text here: `readFlags` reads them, those of the environment and defaults as well. */
function toOption(key: string, spec: FlagSpec): Option {
  const name = spec.short === undefined ? optionName(key) : `-${spec.short}, ${optionName(key)}`
  if (spec.kind === 'boolean') return new Option(name, describeFlag(spec))
  const placeholder = spec.placeholder ?? PLACEHOLDERS[spec.kind]
  const value = spec.implied === undefined ? `<${placeholder}>` : `[${placeholder}]`
  const option = new Option(`${name} ${value}`, describeFlag(spec))
  if (spec.repeatable !== true) return option
  return option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]) as Option
}

/** Gives `parser` everything its command declares. */
function declare(parser: CommandUnknownOpts, command: Command, options: ProgramOptions): void {
  parser.description(
    command.description === undefined ? command.summary : `${command.summary}.\n\n${command.description}`,
  )
  parser.summary(command.summary)
  for (const positional of command.positionals) parser.argument(`<${positional.name}>`, positional.help)
  const flags = { ...command.flags, ...options.common }
  for (const [key, spec] of Object.entries(flags)) parser.addOption(toOption(key, spec))
  const examples = command.examples.map((example) => `  ${example}`).join('\n')
  if (examples !== '') parser.addHelpText('after', `\nExamples:\n${examples}`)
  parser.allowExcessArguments(false)
  parser.action((...given: unknown[]) => {
    const args = command.positionals.map(({ name }, at) => [name, String(given[at])] as const)
    options.onInvoke({ command, args: Object.fromEntries(args), raw: parser.opts() })
  })
}

/** Throws instead of exiting, and says nothing by itself: whoever parses decides what is printed where. */
function newParser(options: ProgramOptions): CommandUnknownOpts {
  const parser: CommandUnknownOpts = new Parser(options.name)
  return parser
    .description(options.summary)
    .version(options.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: options.write, writeErr: options.write, outputError: () => {} })
}

/**
 * Builds the parser of a program out of its commands. Parsing throws commander's own errors, for help and the version too.
 *
 * @param only makes the program consist of this one command, without a word for it
 */
export function buildProgram(options: ProgramOptions, only?: Command): CommandUnknownOpts {
  const program = newParser(options)
  if (only !== undefined) {
    declare(program, only, options)
    return program
  }
  const groups = new Map<string, CommandUnknownOpts>()
  for (const command of options.commands) {
    const [noun = '', verb] = command.name.split(' ')
    if (verb === undefined) {
      declare(program.command(noun), command, options)
      continue
    }
    let group = groups.get(noun)
    if (group === undefined) {
      group = program
        .command(noun)
        .description(options.groups[noun] ?? '')
        .helpCommand(false)
      groups.set(noun, group)
    }
    declare(group.command(verb), command, options)
  }
  return program
}
