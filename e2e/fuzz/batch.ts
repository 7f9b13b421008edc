import fc from 'fast-check'
import type { FuzzTarget } from './target.ts'

/** What was found, made as small as it goes. */
export interface Finding {
  readonly target: string
  /** Of the batch: `--seed` with it begins with the same inputs. */
  readonly seed: number
  /** As JavaScript. */
  readonly input: string
  readonly problem: string
}

export interface BatchResult {
  readonly runs: number
  readonly finding: Finding | undefined
}

/** Checks `runs` inputs of one target. */
export function runBatch(target: FuzzTarget, seed: number, runs: number): BatchResult {
  const result = fc.check(
    fc.property(target.inputs, (input) => target.check(input)),
    { seed, numRuns: runs },
  )
  if (!result.failed) return { runs: result.numRuns, finding: undefined }
  const [input] = result.counterexample ?? []
  const error: unknown = result.errorInstance
  const problem = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return { runs: result.numRuns, finding: { target: target.name, seed, input: fc.stringify(input), problem } }
}
