import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { BatchResult, Finding } from './batch.ts'
import type { Order } from './fuzz-worker.ts'
import { TARGETS } from './targets/index.ts'

export interface FuzzOptions {
  readonly seed: number
  readonly durationMs: number
}

export interface FuzzReport {
  readonly seed: number
  readonly seconds: number
  /** Inputs checked, by target. */
  readonly runs: Readonly<Record<string, number>>
  readonly findings: readonly Finding[]
}

const BATCH_RUNS = 500
/** A batch takes a fraction of a second; what takes this long has hung. */
const HANG_MS = 30_000

/** Has a thread run one batch. One that does not answer is ended. */
export async function ask(thread: Worker, order: Order, hangMs: number = HANG_MS): Promise<BatchResult> {
  const hung = AbortSignal.timeout(hangMs)
  thread.postMessage(order)
  try {
    const [result] = (await once(thread, 'message', { signal: hung })) as [BatchResult]
    return result
  } catch (error) {
    await thread.terminate()
    const problem = hung.aborted ? `no answer in ${hangMs / 1_000} s` : `the thread ended: ${String(error)}`
    return { runs: 0, finding: { target: order.target, seed: order.seed, input: 'one of this batch', problem } }
  }
}

/** Takes the targets in turn, a batch each, until the time is up; a target with a finding is left out from then on. */
export async function fuzz({ seed, durationMs }: FuzzOptions): Promise<FuzzReport> {
  const startedAt = performance.now()
  const runs: Record<string, number> = Object.fromEntries(TARGETS.map(({ name }) => [name, 0]))
  const findings: Finding[] = []
  let waiting = TARGETS.map(({ name }) => name)
  let thread = new Worker(new URL('fuzz-worker.ts', import.meta.url))
  try {
    for (let batch = 0; waiting.length > 0; batch += 1) {
      for (const target of waiting) {
        if (performance.now() - startedAt > durationMs && batch > 0) return report()
        const result = await ask(thread, { target, seed: (seed + batch) | 0, runs: BATCH_RUNS })
        runs[target] = (runs[target] ?? 0) + result.runs
        if (result.finding === undefined) continue
        findings.push(result.finding)
        await thread.terminate()
        thread = new Worker(new URL('fuzz-worker.ts', import.meta.url))
      }
      waiting = waiting.filter((name) => !findings.some(({ target }) => target === name))
    }
    return report()
  } finally {
    await thread.terminate()
  }

  function report(): FuzzReport {
    return { seed, seconds: Math.round((performance.now() - startedAt) / 1_000), runs, findings }
  }
}
