import type { CaseLabel } from './case.ts'

/** The middle value, or the mean of the two middle ones. @throws {RangeError} for an empty list */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[sorted.length >> 1]
  const lower = sorted[(sorted.length - 1) >> 1]
  if (upper === undefined || lower === undefined) throw new RangeError('the median of nothing is not defined')
  return (lower + upper) / 2
}

/** How many times better `ours` is than `theirs`: above 1 always means that ours is better. */
export function ratioOf(ours: number, theirs: number, better: CaseLabel['better']): number {
  return better === 'more' ? ours / theirs : theirs / ours
}

/** The medians of two sides that were measured in turn, and how sure their ratio is. */
export interface Comparison {
  readonly ours: number
  readonly theirs: number
  /** Of the medians, so that it can be checked from the two figures beside it. */
  readonly ratio: number
  /** Lowest and highest ratio of one round: what a single pair of measurements would have said. */
  readonly spread: readonly [low: number, high: number]
}

/**
 * Compares samples taken in rounds: `ours[i]` and `theirs[i]` were measured one after the other.
 *
 * @throws {RangeError} unless both lists are equally long and hold only finite numbers above zero
 */
export function compare(ours: readonly number[], theirs: readonly number[], better: CaseLabel['better']): Comparison {
  if (ours.length !== theirs.length) {
    throw new RangeError(`a comparison needs whole rounds, got ${ours.length} and ${theirs.length} samples`)
  }
  for (const sample of [...ours, ...theirs]) {
    if (!Number.isFinite(sample) || sample <= 0) throw new RangeError(`a sample must be above zero, got ${sample}`)
  }
  const rounds = ours.map((sample, round) => ratioOf(sample, theirs[round] ?? Number.NaN, better))
  const [oursMedian, theirsMedian] = [median(ours), median(theirs)]
  return {
    ours: oursMedian,
    theirs: theirsMedian,
    ratio: ratioOf(oursMedian, theirsMedian, better),
    spread: [Math.min(...rounds), Math.max(...rounds)],
  }
}
