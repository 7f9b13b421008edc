import { styleText } from 'node:util'
import { HawserError } from '@hawser/core'
import type { LogFields, Logger } from '@hawser/core'
import { pino, stdTimeFunctions } from 'pino'
import type { Logger as Pino } from 'pino'
import { printable } from './output.ts'
import type { TextSink } from './output.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
export const LOG_FORMATS = ['text', 'json'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

/** How deep a chain of causes is followed. */
const MAX_CAUSES = 5

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

function plain(fields: LogFields): Record<string, unknown> {
  const entries = Object.entries(fields)
  return Object.fromEntries(entries.map(([key, value]) => [key, value instanceof Error ? errorFields(value) : value]))
}

/** Core's logger over pino. Secrets mask themselves when pino asks for their JSON. */
class PinoLogger implements Logger {
  readonly #pino: Pino

  constructor(instance: Pino) {
    this.#pino = instance
  }

  debug(message: string, fields: LogFields = {}): void {
    if (this.#pino.isLevelEnabled('debug')) this.#pino.debug(plain(fields), message)
  }

  info(message: string, fields: LogFields = {}): void {
    if (this.#pino.isLevelEnabled('info')) this.#pino.info(plain(fields), message)
  }

  warn(message: string, fields: LogFields = {}): void {
    if (this.#pino.isLevelEnabled('warn')) this.#pino.warn(plain(fields), message)
  }

  error(message: string, fields: LogFields = {}): void {
    this.#pino.error(plain(fields), message)
  }

  child(fields: LogFields): Logger {
    return new PinoLogger(this.#pino.child(plain(fields)))
  }
}

const COLOURS = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' } as const

function textValue(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return printable(/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text))
}

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
  const stream = format === 'json' ? sink : { write: (line: string) => sink.write(formatText(line, colour)) }
  const instance = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream as { write(line: string): void },
  )
  return new PinoLogger(instance)
}
