import { spawn } from 'node:child_process'
import type { ChildProcess, Serializable } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { createWriteStream } from 'node:fs'
import { readFile, readdir } from 'node:fs/promises'
import { createInterface } from 'node:readline'

export interface ChildOptions {
  /** Network namespace to run in. */
  readonly namespace: string
  /** What Node is given: a file and its arguments. */
  readonly words: readonly string[]
  /** All that it prints is added to this file. */
  readonly logPath: string
  readonly env?: Readonly<Record<string, string>> | undefined
  /** With a channel for messages, both ways. */
  readonly channel?: boolean | undefined
}

/** A Node process in a network namespace. */
export class Child {
  readonly exited: Promise<number | NodeJS.Signals>
  readonly #process: ChildProcess
  readonly #lines = new EventEmitter<{ line: [string] }>()
  #last = ''

  constructor({ namespace, words, logPath, env = {}, channel = false }: ChildOptions) {
    const command = ['netns', 'exec', namespace, process.execPath, ...words]
    this.#process = spawn('ip', command, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', ...(channel ? (['ipc'] as const) : [])],
      detached: true, // Ctrl-C is for the harness, which ends what it has started
    })
    const log = createWriteStream(logPath, { flags: 'a' })
    this.#lines.setMaxListeners(0)
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream === null) continue
      createInterface({ input: stream }).on('line', (line) => {
        log.write(`${line}\n`)
        this.#last = line
        this.#lines.emit('line', line)
      })
    }
    this.exited = new Promise((resolve) => {
      this.#process.once('close', (code, signal) => {
        log.end()
        resolve(code ?? signal ?? 1)
      })
    })
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  get ended(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null
  }

  onLine(listener: (line: string) => void): void {
    this.#lines.on('line', listener)
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#process.on('message', listener)
  }

  onceMessage(listener: (message: unknown) => void): void {
    this.#process.once('message', listener)
  }

  send(message: Serializable): void {
    if (this.#process.connected) this.#process.send(message)
  }

  /** The next line that matches. @throws {Error} when the process ends without one, or `limitMs` is over */
  line(pattern: RegExp, limitMs = 30_000): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const onLine = (line: string): void => {
      if (pattern.test(line)) resolve(line)
    }
    const giveUp = (): void => reject(new Error(`no line like ${pattern}; the last was: ${this.#last}`))
    const timer = setTimeout(giveUp, limitMs)
    this.#lines.on('line', onLine)
    void this.exited.then(giveUp)
    return promise.finally(() => {
      clearTimeout(timer)
      this.#lines.off('line', onLine)
    })
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name)
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.exited
  }

  /** Resident memory, in bytes. */
  async residentBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1_024
  }

  async openFiles(): Promise<number> {
    return (await readdir(`/proc/${this.pid}/fd`)).length
  }
}
