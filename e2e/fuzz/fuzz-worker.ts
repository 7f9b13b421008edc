/** Runs batches in a thread of its own, so that a parser that never returns can be told from one that is slow. */
import { parentPort } from 'node:worker_threads'
import { runBatch } from './batch.ts'
import { TARGETS } from './targets/index.ts'

/** One batch to run. */
export interface Order {
  readonly target: string
  readonly seed: number
  readonly runs: number
}

parentPort?.on('message', ({ target, seed, runs }: Order) => {
  const found = TARGETS.find(({ name }) => name === target)
  if (found === undefined) throw new Error(`there is no target ${target}`)
  parentPort?.postMessage(runBatch(found, seed, runs))
})
