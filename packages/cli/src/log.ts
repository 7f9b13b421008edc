import { styleText } from 'node:util'
import { formatHostPort, HawserError } from '@hawser/core'
import type { HostPort, LogFields, Logger } from '@hawser/core'
import { pino, stdTimeFunctions } from 'pino'
import type { Logger as Pino } from 'pino'
import { printable } from './output.ts'
import type { TextSink } from './output.ts'

/** From the chattiest; a level includes those after it. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number]
/** `text` for people, `json` for whatever collects logs: one object a line. */
export const LOG_FORMATS = ['text', 'json'] as const
/** One of {@link LOG_FORMATS}. */
export type LogFormat = (typeof LOG_FORMATS)[number]

/** How deep a chain of causes is followed. */
const MAX_CAUSES = 5

/** Of one error in a chain, in the order in which they are read. */
interface ErrorFields {
  readonly code?: string | undefined
  readonly message: string
  readonly stack?: string | undefined
  readonly cause?: ErrorFields | undefined
}

/** An error as log fields: code, sentence and causes; the stack of errors that nobody threw on purpose. */
export function errorFields(error: Error, depth = 0): ErrorFields {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const cause = error.cause instanceof Error && depth < MAX_CAUSES ? errorFields(error.cause, depth + 1) : undefined
  const system = 'syscall' in error // the operating system's answer, whose stack says nothing
  const stack = HawserError.is(error) || system ? undefined : error.stack
  return { code, message: error.message, stack, cause }
}

/** Fields as pino can write them: JSON would make `{}` of an error. */
function plain(fields: LogFields): Record<string, unknown> {
  const entries = Object.entries(fields)
  return Object.fromEntries(entries.map(([key, value]) => [key, value instanceof Error ? errorFields(value) : value]))
}

/** What is written, for a logger and all its relatives: pino gives each child a level of its own. */
interface LogGate {
  readonly initial: LogLevel
  /** Index in {@link LOG_LEVELS}. */
  from: number
}

/** Core's logger over pino. Secrets mask themselves when pino asks for their JSON. */
class PinoLogger implements Logger {
  readonly #pino: Pino
  readonly #gate: LogGate
  /** Of this child, and plain. Not pino's own: it would write a key that the line has as well a second time. */
  readonly #fields: Record<string, unknown>

  constructor(instance: Pino, gate: LogGate, fields: Record<string, unknown>) {
    this.#pino = instance
    this.#gate = gate
    this.#fields = fields
  }

  // Fields are looked at only where the level is on: most lines of a data path are never written.
  debug(message: string, fields: LogFields = {}): void {
    if (this.#gate.from <= 0) this.#pino.debug(this.#with(fields), message)
  }

  info(message: string, fields: LogFields = {}): void {
    if (this.#gate.from <= 1) this.#pino.info(this.#with(fields), message)
  }

  warn(message: string, fields: LogFields = {}): void {
    if (this.#gate.from <= 2) this.#pino.warn(this.#with(fields), message)
  }

  error(message: string, fields: LogFields = {}): void {
    this.#pino.error(this.#with(fields), message)
  }

  child(fields: LogFields): Logger {
    return new PinoLogger(this.#pino, this.#gate, this.#with(fields))
  }

  setLevel(level: LogLevel = this.#gate.initial): void {
    this.#gate.from = LOG_LEVELS.indexOf(level)
  }

  #with(fields: LogFields): Record<string, unknown> {
    return { ...this.#fields, ...plain(fields) }
  }
}

const COLOURS = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' } as const

/** Addresses are the most frequent objects among fields, and read better as `host:port`. */
function isHostPort(value: unknown): value is HostPort {
  if (typeof value !== 'object' || value === null || !('host' in value) || !('port' in value)) return false
  return typeof value.host === 'string' && typeof value.port === 'number'
}

function textValue(value: unknown): string {
  if (isHostPort(value)) return formatHostPort(value)
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return printable(/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text))
}

/** A chain of errors as one phrase. */
function errorText(error: ErrorFields): string {
  const causes = error.cause === undefined ? '' : `: ${errorText(error.cause)}`
  const message = printable(error.message)
  return error.code === undefined ? `${message}${causes}` : `${message} (${error.code})${causes}`
}

/** One JSON line of pino as a line for people: time, level, message, then `key=value`. */
export function formatText(json: string, colour: boolean): string {
  const { time, level, message, error, ...rest } = JSON.parse(json) as {
    time: string
    level: LogLevel
    message: string
    error?: ErrorFields
  } & Record<string, unknown>
  const padded = level.padEnd(5)
  const tag = colour ? styleText(COLOURS[level], padded, { validateStream: false }) : padded
  const fields = Object.entries(rest).map(([key, value]) => ` ${key}=${textValue(value)}`)
  const failure = error === undefined ? '' : `: ${errorText(error)}`
  const stack = error?.stack === undefined ? '' : `\n${error.stack}`
  return `${time.slice(11, 23)} ${tag} ${printable(message)}${failure}${fields.join('')}${stack}\n`
}

/** How a logger writes. */
export interface LogOptions {
  readonly level: LogLevel
  readonly format: LogFormat
  /** Colours the level in `text`. */
  readonly colour: boolean
  /** Where lines go: stderr, so that stdout holds results only. */
  readonly sink: TextSink
}

/** The logger of a process. */
export function createLogger(options: LogOptions): Logger {
  const { level, format, colour, sink } = options
  // Text is made from the JSON line, so that both forms mask and serialise alike.
  const stream = format === 'json' ? sink : { write: (line: string) => sink.write(formatText(line, colour)) }
  const instance = pino(
    {
      level: LOG_LEVELS[0], // the gate decides
      base: null,
      messageKey: 'message',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream as { write(line: string): void },
  )
  return new PinoLogger(instance, { initial: level, from: LOG_LEVELS.indexOf(level) }, {})
}
