import type { HostPort, Logger, Secret } from '@hawser/core'

/**
 * What the text of a flag turns into. `duration` is written `500ms`, `30s`, `5m` or `1h` and arrives in milliseconds;
 * `cidr` is checked and stays text; `path` is made absolute against the working directory; `url` loses trailing slashes.
 */
interface KindValues {
  string: string
  number: number
  boolean: boolean
  duration: number
  hostPort: HostPort
  cidr: string
  path: string
  url: string
}
/** `choice` takes one of `FlagSpec.choices` and keeps its literal type. */
export type FlagKind = keyof KindValues | 'choice'

/** One flag of a command, as data: the parser, `--help` and the docs all read it. The key `dataDir` is `--data-dir`. */
export interface FlagSpec {
  readonly kind: FlagKind
  /** A phrase for `--help`, lower case, no full stop. */
  readonly help: string
  /** As a user would type it. */
  readonly default?: string
  /** Stands for the value where the flag is given without one: `--inspect` and `--inspect=9230`. */
  readonly implied?: string
  /** One letter: `c` for `-c`. */
  readonly short?: string
  /** Environment variable read where the flag is absent. An empty one counts as absent. */
  readonly env?: string
  readonly required?: boolean
  /** May be given several times; the value is then an array, empty where the flag is absent. */
  readonly repeatable?: boolean
  /** The value is wrapped in a `Secret` and never echoed, not even in an error. Only for `string`. */
  readonly secret?: boolean
  /** For `choice`. */
  readonly choices?: readonly string[]
  /** For `number`: whole, and within these. */
  readonly min?: number
  readonly max?: number
  /** For `hostPort`: lets a bare host stand for this port. */
  readonly defaultPort?: number
  /** What stands for the value in `--help`; by default the kind. */
  readonly placeholder?: string
}

/** A word of the command line that is no flag. Every one is required, in the order of their declaration. */
export interface PositionalSpec {
  readonly name: string
  readonly help: string
}

/** One value of a flag, before repetition and absence are considered. */
type One<F extends FlagSpec> = F extends { secret: true }
  ? Secret
  : F extends { kind: 'choice'; choices: readonly (infer C)[] }
    ? C
    : F['kind'] extends keyof KindValues
      ? KindValues[F['kind']]
      : string

type Value<F extends FlagSpec> = F extends { kind: 'boolean' }
  ? boolean
  : F extends { repeatable: true }
    ? readonly One<F>[]
    : F extends { required: true } | { default: string }
      ? One<F>
      : One<F> | undefined

/** What `run` gets for a declaration of flags. */
export type FlagValues<F extends Record<string, FlagSpec>> = { readonly [K in keyof F]: Value<F[K]> }
/** What `run` gets for a declaration of positionals. */
export type ArgValues<P extends readonly PositionalSpec[]> = { readonly [K in P[number]['name']]: string }

/** Where a command prints its results. Log lines go to the logger instead, which writes to stderr. */
export interface Output {
  line(text?: string): void
  /** One JSON value, indented, for `--json`. */
  json(value: unknown): void
}

/** Everything a command may touch of the process it runs in, so that a test can run it without one. */
export interface CommandContext<Args = unknown, Flags = unknown> {
  readonly args: Args
  readonly flags: Flags
  readonly logger: Logger
  /** True where JSON log lines were asked for: a service then says in one of them what it would print for people. */
  readonly jsonLogs: boolean
  readonly out: Output
  /** Aborts at the first SIGINT or SIGTERM: close, let running work finish, return. */
  readonly signal: AbortSignal
  /** Aborts at the second one: stop now. */
  readonly abort: AbortSignal
}

interface CommandData {
  /** The words after `hawser`, noun then verb: `tunnel create`. */
  readonly name: string
  /** One sentence without a full stop. */
  readonly summary: string
  /** Shown in `--help` below the summary. */
  readonly description?: string
  readonly examples: readonly string[]
}

/** A command with the types of its own flags forgotten: what the program is built from. */
export interface Command extends CommandData {
  readonly positionals: readonly PositionalSpec[]
  readonly flags: Readonly<Record<string, FlagSpec>>
  run(context: CommandContext): Promise<void>
}

/**
 * Declares a command. `args` and `flags` of `run` are typed from the declaration. Keep imports of the declaring module
 * light and load the rest inside `run`, since every declaration is read on every start.
 */
export function defineCommand<
  const F extends Readonly<Record<string, FlagSpec>>,
  const P extends readonly PositionalSpec[] = readonly [],
>(
  command: CommandData & {
    readonly positionals?: P
    readonly flags: F
    /** @throws {HawserError} ends the process with exit code 1, or 2 where its class is `usage` */
    run(context: CommandContext<ArgValues<P>, FlagValues<F>>): Promise<void>
  },
): Command {
  return {
    ...command,
    positionals: command.positionals ?? [],
    // The program builds args and flags from this very declaration, so they have the declared types.
    run: (context) => command.run(context as CommandContext<ArgValues<P>, FlagValues<F>>),
  }
}
