import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { waitForPort } from './ports.ts'
import type { Scope } from './scope.ts'

/** How long a peer may take until it listens. */
const START_MS = 10_000
/** Of what a program printed, the part that is kept to explain a failure. */
const TAIL_CHARS = 2_000

/** A program that is not ours. */
export interface Foreign {
  readonly pid: number
  /** The end of what it printed. */
  tail(): string
  /** Aborts when it has ended. */
  readonly ended: AbortSignal
}

/** Where a program runs, where that matters. */
interface Surroundings {
  readonly cwd?: string | undefined
  /** Beside the variables of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined
}

/** Starts `command` without a shell and hands it to `scope`. @throws {Error} if it cannot be started */
export async function startForeign(
  scope: Scope,
  command: string,
  words: readonly string[],
  { cwd, env }: Surroundings = {},
): Promise<Foreign> {
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'], cwd, env: { ...process.env, ...env } })
  scope.own(child)
  let tail = ''
  const keep = (chunk: string): void => void (tail = (tail + chunk).slice(-TAIL_CHARS))
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  const ended = new AbortController()
  child.once('close', (code, signal) => ended.abort(new Error(`${command} ended with ${signal ?? code}`)))
  await once(child, 'spawn')
  return { pid: child.pid ?? 0, ended: ended.signal, tail: () => tail.trim() }
}

/** Waits until `program` accepts connections. @throws {Error} with what it printed, if it ends or takes too long */
export async function untilListening(program: Foreign, port: number, scope: Scope): Promise<void> {
  const limit = AbortSignal.any([program.ended, scope.signal, AbortSignal.timeout(START_MS)])
  try {
    await waitForPort(port, limit)
  } catch {
    const reason: unknown = limit.reason
    throw new Error(`${reason instanceof Error ? reason.message : String(reason)}: ${program.tail()}`)
  }
}

const run = promisify(execFile)

/** Runs `command` to its end. @throws {Error} with what it printed, unless it ends with 0 */
export async function runForeign(scope: Scope, command: string, words: readonly string[]): Promise<void> {
  await run(command, words, { signal: scope.signal })
}
