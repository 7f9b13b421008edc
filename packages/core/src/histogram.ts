/**
 * How often a value fell where, over bounds fixed at the start: what a data path may count into, since nothing is allocated
 * after that. Values are in whatever unit the bounds are.
 */
export class Histogram {
  /** Upper bounds, ascending, each inclusive; the last bucket, above all of them, has none. */
  readonly bounds: readonly number[]
  /** Of each bucket alone, not of those below it; one longer than `bounds`. */
  readonly counts: Float64Array
  /** Of all values. */
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  /** Counts one value; what is no number lands above all bounds. */
  observe(value: number): void {
    const at = this.bounds.findIndex((bound) => value <= bound)
    const bucket = at === -1 ? this.bounds.length : at
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1
    this.sum += value
  }
}
