/** A number from 0 up to, but not including, 1. */
export type Random = () => number

/** The same numbers for the same seed, everywhere (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A seed of its own for each part of a run, so that more draws in one part change nothing in another. */
export function subSeed(seed: number, ...parts: readonly number[]): number {
  return parts.reduce(
    (mixed, part) => (Math.imul(mixed ^ (part + 0x9e3779b9), 0x85ebca6b) ^ (mixed >>> 13)) | 0,
    seed | 0,
  )
}

/** A whole number from `low` to `high`, both included. */
export function between(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1))
}

/** A whole number from `low` to `high` whose order of magnitude is even: as many below 1 KiB as from 1 to 2 MiB. */
export function magnitude(random: Random, low: number, high: number): number {
  return Math.round(low * (high / low) ** random())
}

/** One of `values`, which must not be empty. */
export function oneOf<T>(random: Random, values: readonly T[]): T {
  return values[between(random, 0, values.length - 1)] as T
}

/** The same values in another order. */
export function shuffled<T>(random: Random, values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, key: random() }))
    .toSorted((one, other) => one.key - other.key)
    .map(({ value }) => value)
}
