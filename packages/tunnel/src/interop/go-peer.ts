import { execFile, spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startSession } from '../session-pair.ts'
import type { TestSession } from '../session-pair.ts'

const run = promisify(execFile)
const SOURCES = ['main.go', 'go.mod', 'go.sum']
const BUILD_MS = 180_000

/** For tests: the program of `main.go`, or why this machine cannot have it. Disposing removes it. */
export interface GoProgram extends AsyncDisposable {
  readonly file: string
  readonly absence: string | undefined
}

/**
 * Builds the program in a folder of its own, with the Go module of the reference implementation.
 *
 * @throws {Error} with what the compiler says; a module that cannot be had, or Go itself, is an absence
 */
export async function buildGoProgram(): Promise<GoProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-yamux-'))
  const program = (absence?: string): GoProgram => ({
    file: join(folder, 'yamux-peer'),
    absence,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  })
  const go = (...words: string[]): Promise<unknown> => run('go', words, { cwd: folder, timeout: BUILD_MS })
  try {
    for (const name of SOURCES) await cp(fileURLToPath(new URL(name, import.meta.url)), join(folder, name))
    await go('mod', 'download')
  } catch (error) {
    const text = error instanceof Error ? error.message.replaceAll(/\s+/g, ' ') : String(error)
    return program(text.includes('ENOENT') ? 'there is no go here' : `the Go module cannot be had: ${text}`)
  }
  await go('build', '-o', 'yamux-peer', '.')
  // The compiler's handles close a little later: the first test must not count them.
  while (process.getActiveResourcesInfo().includes('ProcessWrap')) await new Promise(setImmediate)
  return program()
}

type GoChild = ChildProcessByStdio<Writable, Readable, null>

interface GoPeerOptions {
  /** Of our side; the program has the other one. */
  readonly role: 'client' | 'server'
  /** After which the program resets what it has ended and we have not, as Go spells it. */
  readonly closeTimeout?: string | undefined
  /** Ends every wait. */
  readonly signal: AbortSignal
}

/** One session between this process and the program, in either role. Disposing ends both. */
export class GoPeer implements AsyncDisposable {
  readonly ours: TestSession
  readonly #child: GoChild
  readonly #lines: string[] = []
  /** Of the next line. */
  #arrived = Promise.withResolvers<void>()
  readonly #ended: Promise<unknown>
  #tags = 0

  private constructor(child: GoChild, ours: TestSession, signal: AbortSignal) {
    this.ours = ours
    this.#child = child
    this.#ended = once(child, 'close')
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#lines.push(line)
      this.#arrived.resolve()
      this.#arrived = Promise.withResolvers()
    })
    const fail = (reason: unknown): void => {
      this.#arrived.promise.catch(() => {}) // perhaps nobody waits
      this.#arrived.reject(reason)
    }
    child.once('close', () => fail(new Error(`the program has ended: ${this.#lines.join('; ')}`)))
    signal.addEventListener('abort', () => fail(signal.reason))
  }

  static async start(program: GoProgram, { role, closeTimeout, signal }: GoPeerOptions): Promise<GoPeer> {
    const listener = createServer({ noDelay: true, allowHalfOpen: true }).listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const { port } = listener.address() as AddressInfo
    const words = [
      role === 'client' ? 'server' : 'client',
      `127.0.0.1:${port}`,
      ...(closeTimeout ? [closeTimeout] : []),
    ]
    const child = spawn(program.file, words, { stdio: ['pipe', 'pipe', 'ignore'] })
    const [socket] = (await once(listener, 'connection')) as [Socket]
    listener.close()
    return new GoPeer(child, startSession(socket, role, {}), signal)
  }

  /** Tells the program what to do, and gives its answer. */
  async ask(verb: string, argument = ''): Promise<string> {
    const tag = `${(this.#tags += 1)}`
    this.#child.stdin.write(`${tag} ${verb} ${argument}\n`)
    return this.#line(`${tag} `)
  }

  /** What the program says of a stream that was opened to it. */
  report(subject: string): Promise<string> {
    return this.#line(`* ${subject} `)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ours.session.end()
    this.#child.kill()
    await Promise.all([this.#ended, this.ours.session.closed])
  }

  async #line(start: string): Promise<string> {
    for (;;) {
      const line = this.#lines.find((text) => text.startsWith(start))
      if (line !== undefined) return line.slice(start.length)
      await this.#arrived.promise
    }
  }
}
