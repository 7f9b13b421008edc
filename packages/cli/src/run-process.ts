import { tuneHeapForBuffers } from '@hawser/core'
import { describeFailure, EXIT_FAILURE } from './failure.ts'
import type { Command } from './command.ts'
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

/**
 * Runs the command line of this process to its end and sets the exit code. The only place that listens for signals and for
 * faults that nobody caught.
 */
export async function runProcess(program: Program, only?: Command): Promise<void> {
  tuneHeapForBuffers()
  const fault = (error: unknown): void => {
    process.stderr.write(describeFailure(error, program.name))
    process.exit(EXIT_FAILURE)
  }
  process.on('uncaughtException', fault) // unhandled rejections arrive here as well
  process.stdout.on('error', ignoreClosedPipe)
  using stops = listenForStop(
    process,
    () => process.exit(EXIT_FAILURE),
    () => performance.now(),
  )
  stopWithParent(stops.stop)
  const { env, stdout, stderr } = process
  const context = { env, cwd: process.cwd(), stdout, stderr, signal: stops.signal, abort: stops.abort }
  const code = await runLine(process.argv.slice(2), program, context, only)
  process.exitCode = code // rather than exit(): what is still being written gets written
  setTimeout(() => process.exit(code), LINGER_MS).unref()
}
