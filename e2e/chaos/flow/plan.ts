import { between, magnitude, oneOf, seeded, subSeed } from '../random.ts'

/**
 * How a flow ends. `both`: each side ends its direction when it has sent all. `halfClose`: the target sends once it has read the
 * caller's end. `targetFirst`: the caller sends once it has read the target's end. `close`: the caller closes when it has all it
 * expects. `abort` and `targetAbort`: one side resets when half of the answer has passed.
 */
export const ENDINGS = ['both', 'halfClose', 'targetFirst', 'close', 'abort', 'targetAbort'] as const
export type Ending = (typeof ENDINGS)[number]

/** All that is known of a flow beforehand; the target gets it as the first line. */
export interface FlowPlan {
  readonly id: number
  readonly ending: Ending
  /** Bytes to the target, the first line not counted. */
  readonly up: number
  /** Bytes from the target. */
  readonly down: number
  /** Pauses between the pieces of either direction, in milliseconds. */
  readonly pauseMs: number
}

const MAX_PIECE_BYTES = 32_768
const MAX_BYTES = 1_048_576
/** Some finish between two faults, some live through several. */
const PAUSES_MS = [0, 0, 20, 50, 100, 250, 500] as const
/** A flow with more pieces than this would outlive the run. */
const MAX_PAUSED_MS = 15_000
const MEAN_PIECE_BYTES = MAX_PIECE_BYTES / Math.log(MAX_PIECE_BYTES)

export interface PlanLimits {
  readonly maxBytes?: number | undefined
  readonly maxPausedMs?: number | undefined
}

/** The plan of flow `id`: the same for the same seed. */
export function planFlow(seed: number, id: number, limits: PlanLimits = {}): FlowPlan {
  const { maxBytes = MAX_BYTES, maxPausedMs = MAX_PAUSED_MS } = limits
  const random = seeded(subSeed(seed, id))
  const up = magnitude(random, 1, maxBytes)
  const down = magnitude(random, 2, maxBytes)
  const pieces = Math.ceil(Math.max(up, down) / MEAN_PIECE_BYTES)
  const pauseMs = Math.min(oneOf(random, PAUSES_MS), Math.floor(maxPausedMs / pieces))
  return { id, ending: oneOf(random, ENDINGS), up, down, pauseMs }
}

/** Sizes of the pieces in which `total` bytes leave: most small, some large. */
export function* pieceSizes(seed: number, total: number): Generator<number> {
  const random = seeded(seed)
  for (let left = total; left > 0;) {
    const bytes = Math.min(left, magnitude(random, 1, MAX_PIECE_BYTES))
    yield bytes
    left -= bytes
  }
}

/** Longest first line, its line feed included. */
export const MAX_LINE_BYTES = 64

export function planLine({ id, ending, up, down, pauseMs }: FlowPlan): string {
  return `${id} ${ending} ${up} ${down} ${pauseMs}\n`
}

/** Undefined for what is none; the line feed not included. */
export function parsePlan(line: string): FlowPlan | undefined {
  const [, id, ending, up, down, pauseMs] = /^(\d+) ([a-zA-Z]+) (\d+) (\d+) (\d+)$/.exec(line) ?? []
  const known = ENDINGS.find((name) => name === ending)
  if (known === undefined) return undefined
  return { id: Number(id), ending: known, up: Number(up), down: Number(down), pauseMs: Number(pauseMs) }
}

/** How many bytes a target or a caller lets pass before it resets, where it does. */
export function resetAfter(plan: FlowPlan): number {
  return Math.floor(plan.down / 2)
}

/** A pause that differs from piece to piece, and from run to run. */
export function pauseOf(plan: FlowPlan): number {
  return plan.pauseMs === 0 ? 0 : between(Math.random, 0, plan.pauseMs * 2)
}
