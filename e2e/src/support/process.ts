import { spawn } from 'node:child_process'
import type { ChildProcess, StdioOptions } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const REPOSITORY: string = fileURLToPath(new URL('../../..', import.meta.url))
const LAUNCHER = fileURLToPath(new URL('../../../packages/cli/bin/hawser.mjs', import.meta.url))

/** One running program, its output kept line by line. */
export class Program implements AsyncDisposable {
  readonly lines: string[] = []
  readonly child: ChildProcess
  readonly exited: Promise<number | NodeJS.Signals>
  readonly #waiting = new Set<() => void>()

  /** In a process group of its own, so that {@link interrupt} reaches what it has started, as a terminal's Ctrl-C does. */
  constructor(command: string, words: readonly string[], env: NodeJS.ProcessEnv = {}, cwd: string = REPOSITORY) {
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe']
    this.child = spawn(command, words, { cwd, env: { ...process.env, ...env }, stdio, detached: true })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream === null) continue
      createInterface({ input: stream }).on('line', (line) => {
        this.lines.push(line)
        this.#wake()
      })
    }
    const killGroup = (): void => this.#killGroup() // a test that crashes leaves nothing running
    process.once('exit', killGroup)
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        process.off('exit', killGroup)
        resolve(code ?? signal ?? 1)
        this.#wake()
      })
    })
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  /** The first line, past or future, that matches; fails when the program ends without one. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    for (let index = 0; ;) {
      for (; index < this.lines.length; index += 1) {
        const match = pattern.exec(this.lines[index] ?? '')
        if (match !== null) return match
      }
      if (this.ended) throw new Error(`the program ended without a line like ${pattern}:\n${this.lines.join('\n')}`)
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  async kill(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    this.child.kill(signal)
    return this.exited
  }

  /** Ctrl-C, as a terminal sends it: to the whole process group. */
  async interrupt(): Promise<number | NodeJS.Signals> {
    process.kill(-this.pid, 'SIGINT')
    return this.exited
  }

  /** Resident memory in MiB. */
  residentMiB(): number {
    const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]
    return Number(kib) / 1024
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.ended) this.child.kill('SIGTERM')
    const kill = setTimeout(() => this.#killGroup(), 10_000)
    await this.exited
    clearTimeout(kill)
  }

  #killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL')
    } catch {
      // the group has ended
    }
  }

  #wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of waiting) resolve()
  }
}

/** `hawser …` as a user would start it, on the Node that runs the tests. */
export function hawser(words: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
  return new Program(process.execPath, [LAUNCHER, ...words], env)
}

/** Runs `hawser …` to its end and returns what it printed; fails on a non-zero exit. */
export async function runHawser(...words: string[]): Promise<string> {
  const program = hawser(words)
  const code = await program.exited
  if (code !== 0) throw new Error(`hawser ${words.join(' ')} ended with ${code}:\n${program.lines.join('\n')}`)
  return program.lines.join('\n')
}
