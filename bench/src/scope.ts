import type { ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** How long a child may take to end after SIGTERM before it is killed. */
const TERM_MS = 3_000

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null
}

async function end(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), TERM_MS)
  await ended
  clearTimeout(timer)
}

/**
 * Owns a temporary folder, child processes and whatever else one part of a run starts. Disposal releases them, last come
 * first: an ssh client that ends first lets its sshd session end by itself. If this process exits without disposing,
 * children and folder go all the same.
 */
export class Scope implements AsyncDisposable {
  /** Aborts when the run is interrupted. */
  readonly signal: AbortSignal
  /** Empty at first, for configuration files, keys and data. */
  readonly folder: string
  readonly #owned = new AsyncDisposableStack()
  readonly #children: ChildProcess[] = []
  readonly #nested: Scope[] = []
  #disposing: Promise<void> | undefined

  private constructor(folder: string, signal: AbortSignal) {
    this.folder = folder
    this.signal = signal
    this.defer(() => rm(folder, { recursive: true, force: true }))
  }

  static async open(signal: AbortSignal): Promise<Scope> {
    signal.throwIfAborted()
    const scope = new Scope(await mkdtemp(join(tmpdir(), 'hawser-bench-')), signal)
    const onExit = (): void => scope.#leave()
    process.once('exit', onExit)
    scope.defer(async () => void process.off('exit', onExit))
    return scope
  }

  /** A scope with a folder of its own inside this one's, disposed with this one unless its user does so earlier. */
  async nested(): Promise<Scope> {
    this.signal.throwIfAborted()
    const scope = new Scope(await mkdtemp(join(this.folder, 'part-')), this.signal)
    this.#nested.push(scope)
    return this.#owned.use(scope)
  }

  own(child: ChildProcess): void {
    this.#children.push(child)
    this.defer(() => end(child))
  }

  defer(release: () => Promise<void>): void {
    this.#owned.defer(release)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#disposing ??= this.#owned.disposeAsync())
  }

  /** What is left to do when the process exits before this was disposed: nothing can be waited for any more. */
  #leave(): void {
    for (const scope of this.#nested) scope.#leave()
    for (const child of this.#children) if (isRunning(child)) child.kill('SIGTERM')
    rmSync(this.folder, { recursive: true, force: true })
  }
}
