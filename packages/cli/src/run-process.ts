import { giveMemoryBackWhenQuiet, tuneHeapForBuffers } from '@hawser/core'
import { describeFailure, EXIT_FAILURE } from './failure.ts'
import type { Command } from './command.ts'
import type { ProcessLog } from './process-log.ts'
import { runLine } from './run-line.ts'
import type { Program } from './run-line.ts'
import { listenForStop } from './stop-signals.ts'

/** Handles that are still open this long after the work is done do not keep the process. */
const LINGER_MS = 1000

/** A reader that has seen enough (`hawser tunnel list | head -1`) is no failure. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
}

/** The launcher, or whoever forked this process, has gone without a signal: stop as if there had been one. */
function stopWithParent(stop: () => void): void {
  if (process.channel === undefined || process.channel === null) return
  process.once('disconnect', stop)
  process.channel.unref()
}

/** What the log of a process needs of the process: the signal to reopen its file, and Node's warnings where all is JSON. */
function attachLog(log: ProcessLog): void {
  if (log.hasFile) process.on('SIGHUP', () => log.reopen()) // without a file it ends the process, as everywhere
  if (!log.isJson) return
  process.removeAllListeners('warning') // Node's own, which prints text
  process.on('warning', (error) => log.logger.warn('warning of Node', { error }))
}

/**
 * Runs the command line of this process to its end and sets the exit code. The only place that listens for signals and for
 * faults that nobody caught.
 */
export async function runProcess(program: Program, only?: Command): Promise<void> {
  tuneHeapForBuffers()
  giveMemoryBackWhenQuiet()
  let log: ProcessLog | undefined
  const fault = (error: unknown): void => {
    if (log === undefined) process.stderr.write(describeFailure(error, program.name))
    else log.fail(error, program.name)
    process.exit(EXIT_FAILURE)
  }
  process.on('uncaughtException', fault) // unhandled rejections arrive here as well
  process.stdout.on('error', ignoreClosedPipe)
  // To the very end: a signal that comes while the process is leaving must not change its exit code.
  const stops = listenForStop(
    process,
    () => process.exit(EXIT_FAILURE),
    () => performance.now(),
  )
  stopWithParent(stops.stop)
  const { env, stdout, stderr } = process
  const onLog = (opened: ProcessLog): void => {
    log = opened
    attachLog(opened)
  }
  const context = { env, cwd: process.cwd(), stdout, stderr, signal: stops.signal, abort: stops.abort, onLog }
  const code = await runLine(process.argv.slice(2), program, context, only)
  process.exitCode = code // rather than exit(): what is still being written gets written
  setTimeout(() => process.exit(code), LINGER_MS).unref()
}
