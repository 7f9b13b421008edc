import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The launcher of this workspace. */
export const LAUNCHER: string = fileURLToPath(new URL('../bin/hawser.mjs', import.meta.url))

/** How a process ended: by itself with a code, or by a signal. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A real process under test, on the Node that runs the test. Disposing kills it. */
export class TestProcess implements AsyncDisposable {
  stdout = ''
  stderr = ''
  readonly ended: Promise<Ended>
  readonly #child: ChildProcess
  readonly #waiting = new Set<() => void>()

  constructor(file: string, line: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}) {
    const env = { PATH: process.env['PATH'] ?? '', ...options.env } // nothing of the test's own HAWSER_ variables
    const stdio = ['ignore', 'pipe', 'pipe'] as const
    this.#child = spawn(process.execPath, [file, ...line], { ...options, env, stdio: [...stdio] })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#add('stdout', text))
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#add('stderr', text))
    this.ended = once(this.#child, 'close').then(([code, signal]: unknown[]) => {
      for (const wake of this.#waiting) wake()
      return { code: code as number | null, signal: signal as NodeJS.Signals | null }
    })
  }

  /** Resolves once what was written matches; rejects if the process ends before. */
  async says(pattern: RegExp): Promise<void> {
    let over = false
    void this.ended.then(() => (over = true))
    for (;;) {
      if (pattern.test(this.stdout) || pattern.test(this.stderr)) return
      if (over) throw new Error(`ended without saying ${pattern}: ${this.stdout}${this.stderr}`)
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve)
      })
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Sends the signal and waits for the end. */
  async stop(name: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.signal(name)
    return this.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }

  #add(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }
}

/** Starts the `hawser` of this workspace. */
export function hawserProcess(line: readonly string[], env: Record<string, string> = {}): TestProcess {
  return new TestProcess(LAUNCHER, line, { env })
}
