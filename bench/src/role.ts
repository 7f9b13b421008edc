/**
 * Parts of a measurement that are ours run as roles: one Node process each, started from a file of `roles/`, asked over
 * IPC. This file is both ends of that conversation.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Scope } from './scope.ts'

/** What a role can be asked: one argument and one answer each, both plain data. */
export type Operations = { readonly [name: string]: (argument: never) => Promise<unknown> }

interface Request {
  readonly id: number
  readonly operation: string
  readonly argument: unknown
}
interface Reply {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string' ? `${error.code}: ${error.message}` : error.message
}

/** Time a role has to put its things away before it leaves anyway. */
const STOP_MS = 2_000

/**
 * Makes this process a role. It leaves when its parent asks or is gone.
 *
 * @param stop puts away what ends slowly or would outlive the process
 */
export function serveRole(operations: Operations, stop: () => Promise<void> = () => Promise.resolve()): void {
  const send = (reply: Reply): void => void process.send?.(reply)
  process.on('message', (request: Request) => {
    const operation = operations[request.operation]
    if (operation === undefined) return send({ id: request.id, error: `no operation ${request.operation}` })
    // The types of the caller's RoleHandle vouch for the argument.
    operation(request.argument as never).then(
      (value) => send({ id: request.id, value }),
      (error: unknown) => send({ id: request.id, error: textOf(error) }),
    )
    return undefined
  })
  let leaving = false
  const leave = (): void => {
    if (leaving) return
    leaving = true
    setTimeout(() => process.exit(), STOP_MS)
    void stop().finally(() => process.exit()) // exit(), not a signal: a CPU profile is written on the way out
  }
  process.on('disconnect', leave)
  process.on('SIGTERM', leave)
  process.on('SIGINT', () => {}) // Ctrl-C reaches the whole group; the parent decides what ends when
}

/** Longest time any single request to a role may take. */
const CALL_MS = 60_000

/** Of what a role printed on stderr, the part that is kept to explain why it ended. */
const TAIL_CHARS = 4_000

/** The line of a crash that says what happened, out of the code and stack round it. */
function crashLine(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim())
  return lines.find((line) => /^\w*Error\b.*:/.test(line)) ?? lines.findLast((line) => line !== '') ?? ''
}

/** The parent's end of one role. */
export class RoleHandle<Ops extends Operations> {
  readonly pid: number
  readonly #name: string
  readonly #child: ChildProcess
  readonly #signal: AbortSignal
  readonly #waiting = new Map<number, (reply: Reply) => void>()
  #nextId = 1

  constructor(name: string, child: ChildProcess, signal: AbortSignal) {
    this.pid = child.pid ?? 0
    this.#name = name
    this.#child = child
    this.#signal = signal
    let stderr = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-TAIL_CHARS)))
    child.on('message', (reply: Reply) => this.#waiting.get(reply.id)?.(reply))
    child.once('close', (code, killed) => this.#fail(`the process ended with ${killed ?? code}: ${crashLine(stderr)}`))
    signal.addEventListener('abort', () => this.#fail('interrupted'), { once: true })
  }

  /** @throws {Error} what the operation threw, or that the process ended, was too slow, or the run was interrupted */
  async call<Name extends keyof Ops & string>(
    operation: Name,
    ...[argument]: Parameters<Ops[Name]>
  ): Promise<Awaited<ReturnType<Ops[Name]>>> {
    this.#signal.throwIfAborted()
    const id = this.#nextId
    this.#nextId += 1
    const { promise, resolve } = Promise.withResolvers<Reply>()
    this.#waiting.set(id, resolve)
    const timer = setTimeout(() => resolve({ id, error: `no answer within ${CALL_MS / 1_000} s` }), CALL_MS)
    this.#child.send({ id, operation, argument } satisfies Request, (error) => {
      if (error !== null) resolve({ id, error: error.message })
    })
    const reply = await promise
    clearTimeout(timer)
    this.#waiting.delete(id)
    if (reply.error !== undefined) throw new Error(`${this.#name}: ${operation}: ${reply.error}`)
    return reply.value as Awaited<ReturnType<Ops[Name]>>
  }

  #fail(error: string): void {
    for (const [id, settle] of this.#waiting) settle({ id, error })
  }
}

/** Node flags for the roles that run Hawser itself: `--cpu-prof` of the command line ends up here. */
const hawserFlags: string[] = []

/** Makes every Hawser process of this run write a CPU profile into `folder` when it ends. */
export function profileHawserInto(folder: string): void {
  hawserFlags.push('--cpu-prof', `--cpu-prof-dir=${folder}`)
}

/** Starts `roles/<name>.ts` in a process of its own that ends with `scope`. */
export async function startRole<Ops extends Operations>(scope: Scope, name: string): Promise<RoleHandle<Ops>> {
  const file = fileURLToPath(new URL(`roles/${name}.ts`, import.meta.url))
  const execArgv = name.startsWith('hawser-') ? hawserFlags : []
  const child = fork(file, { execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  scope.own(child)
  await once(child, 'spawn')
  return new RoleHandle<Ops>(name, child, scope.signal)
}
