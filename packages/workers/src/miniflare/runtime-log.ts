import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Logger } from '@hawser/core'
import { Log, LogLevel } from 'miniflare'
import type { MapStack } from '../bundle/source-positions.ts'

/** One line that workerd wrote in its structured form. `source` is there only where workerd itself is speaking. */
interface RuntimeLine {
  readonly level?: unknown
  readonly message?: unknown
  readonly source?: unknown
}

/** How workerd reports an exception that a Worker did not catch. */
const UNCAUGHT = /^uncaught exception; source = (.*?); stack = (.*)$/s
/** What a console makes of an error. */
const STACK = /\n {4}at /
/** Addresses in the binary, at the end of workerd's own messages. */
const NATIVE_STACK = /\nstack:(?: \S+)+$/

/** Undefined for what is not in the structured form: words of the C++ runtime before it knows its configuration. */
function parseLine(line: string): RuntimeLine | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as RuntimeLine
  } catch {
    return undefined
  }
}

function logAt(logger: Logger, level: unknown, message: string): void {
  if (level === 'error') logger.error(message)
  else if (level === 'warn' || level === 'warning') logger.warn(message)
  else if (level === 'debug') logger.debug(message)
  else logger.info(message)
}

/** What workerd writes, sorted: the Worker's console and uncaught exceptions to its log, workerd's own words to ours. */
export class RuntimeLog {
  readonly #worker: Logger
  readonly #runtime: Logger
  readonly #mapStack: MapStack
  /** What the last exception that nobody caught says of itself, above its frames. */
  #lastThrown: string | undefined
  /** Last words of workerd's own, for the message if it does not start. */
  readonly #complaints: string[] = []

  constructor(logger: Logger, mapStack: MapStack) {
    this.#worker = logger
    this.#runtime = logger.child({ source: 'workerd' })
    this.#mapStack = mapStack
  }

  /** @returns a promise of the end of both streams: of workerd's end, unless somebody destroyed them */
  async read(stdout: Readable, stderr: Readable): Promise<void> {
    await Promise.all([stdout, stderr].map((stream) => this.#readLines(stream)))
  }

  /** What workerd complained of, a line each; empty when it said nothing. */
  get complaints(): string {
    return this.#complaints.join('\n')
  }

  async #readLines(stream: Readable): Promise<void> {
    for await (const line of createInterface(stream)) {
      if (line !== '') this.#take(line)
    }
  }

  #take(line: string): void {
    const parsed = parseLine(line)
    const message = typeof parsed?.message === 'string' ? parsed.message : line
    if (parsed !== undefined && parsed.source === undefined) {
      return logAt(this.#worker, parsed.level, STACK.test(message) ? this.#mapStack(message) : message)
    }
    // Only workerd's own lines have a source, so a Worker cannot pass off its output as an exception.
    const [, where, stack] = UNCAUGHT.exec(message) ?? []
    if (stack !== undefined) return this.#uncaught(where ?? '', stack)
    const text = this.#mapStack(message.replace(NATIVE_STACK, ''))
    if (parsed?.level !== 'info') this.#complain(text)
    // With --verbose, which uncaught exceptions need, workerd also tells of much that concerns nobody.
    return this.#runtime.debug(text)
  }

  /** What one Worker or object did not catch, whoever called it did not either, and has it without frames: that was told. */
  #uncaught(where: string, stack: string): void {
    const isRepeated = stack === this.#lastThrown
    const hasFrames = STACK.test(stack)
    this.#lastThrown = hasFrames ? stack.slice(0, stack.search(STACK)) : undefined
    if (!isRepeated) this.#worker.error(`${where}: ${this.#mapStack(stack)}`)
  }

  #complain(text: string): void {
    if (this.#complaints.length >= 20) this.#complaints.shift()
    this.#complaints.push(text)
  }
}

/** Miniflare's own messages, which concern its simulators. */
export class MiniflareLog extends Log {
  readonly #logger: Logger

  constructor(logger: Logger) {
    super(LogLevel.DEBUG)
    this.#logger = logger.child({ source: 'miniflare' })
  }

  override logWithLevel(level: LogLevel, message: string): void {
    if (level <= LogLevel.ERROR) return this.#logger.error(message)
    if (level === LogLevel.WARN) return this.#logger.warn(message)
    return this.#logger.debug(message)
  }
}
