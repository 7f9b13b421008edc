import { spawn } from 'node:child_process'
import { dirname, resolve as resolvePath } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { HawserError } from '@hawser/core'
import type { Logger } from '@hawser/core'
import type { WorkerConfig } from '../config.ts'

/** A build may run for a while: its lines are logged as they come. */
function logLines(stream: Readable, log: (line: string) => void): void {
  createInterface(stream).on('line', log)
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGTERM')
  } catch {
    // It has ended by itself.
  }
}

/**
 * Runs `build.command`, as wrangler does before it bundles; its output goes to the log. `build.cwd` is taken from the folder
 * of the configuration, where wrangler is run.
 *
 * @param signal ends it
 * @throws {HawserError} `bundle_failed` when it ends otherwise than with 0
 */
export async function runCustomBuild(
  { path, wrangler }: WorkerConfig,
  logger: Logger,
  signal?: AbortSignal,
): Promise<void> {
  const { command } = wrangler.build
  if (command === undefined) return
  const cwd = resolvePath(dirname(path), wrangler.build.cwd ?? '.')
  const ended = await new Promise<string>((resolve, reject) => {
    // In a group of its own where it may have to be ended, with all that it starts.
    const detached = signal !== undefined
    const child = spawn(command, { shell: true, cwd, stdio: ['ignore', 'pipe', 'pipe'], detached })
    const stop = (): void => endGroup(child.pid)
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted === true) stop()
    logLines(child.stdout, (line) => logger.info(line, { build: command }))
    logLines(child.stderr, (line) => logger.warn(line, { build: command }))
    child.once('error', reject)
    child.once('close', (code, name) => {
      signal?.removeEventListener('abort', stop)
      resolve(code === null ? `by ${name}` : `with ${code}`)
    })
  }).catch((error: unknown) => {
    throw new HawserError('bundle_failed', `build.command could not be run: ${command}`, { cause: error })
  })
  if (ended !== 'with 0') throw new HawserError('bundle_failed', `build.command ended ${ended}: ${command}`)
}
