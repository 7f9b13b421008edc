import type { Scope } from './scope.ts'

/** One thing that is measured: Hawser, or something that does the same job. */
export interface Side {
  /** As tables and JSON name it: `ssh -L`. */
  readonly name: string
  /** Installs what is missing and can be installed: called before measuring, never by `--list`. */
  prepare?(signal: AbortSignal): Promise<void>
  /** Why it cannot take part on this machine, in one sentence; undefined when it can. */
  absence(): Promise<string | undefined>
}

/** Takes one measurement of 1 to 3 s and gives it in the unit of its case. */
export type Measurement = () => Promise<number>

/** One side within a case whose load generator and target are running. */
export interface Contender {
  readonly side: Side
  /** Starts the side's processes. They end with the scope that was given to {@link Case.open}. */
  start(): Promise<Measurement>
}

/** What the table says of a case, and which direction is better. */
export interface CaseLabel {
  readonly name: string
  /** One line for `--list`. */
  readonly summary: string
  readonly unit: string
  /** `more` for throughput, `less` for memory and latency. */
  readonly better: 'more' | 'less'
}

export interface Case extends CaseLabel {
  /** Hawser first, then its peers. */
  readonly sides: readonly Side[]
  /** Measurements of each side that do not count. */
  readonly warmUps: number
  /** Starts what all sides share, and gives the sides in the order of {@link Case.sides}. */
  open(scope: Scope): Promise<readonly Contender[]>
}

/** For rates: what a server does all day is measured, not its first seconds, in which V8 compiles what is run often. */
export const RATE_WARM_UPS = 6

interface CaseSpec<S extends Side> extends CaseLabel {
  /** Default 1. */
  readonly warmUps?: number | undefined
  readonly ours: S
  readonly peers: readonly S[]
  /** Starts what all sides share; the function it gives then starts one side. */
  open(scope: Scope): Promise<(side: S) => Promise<Measurement>>
}

/** A {@link Case} from its sides, whatever kind of side they are. */
export function defineCase<S extends Side>(spec: CaseSpec<S>): Case {
  const sides = [spec.ours, ...spec.peers]
  return {
    name: spec.name,
    summary: spec.summary,
    unit: spec.unit,
    better: spec.better,
    sides,
    warmUps: spec.warmUps ?? 1,
    async open(scope) {
      const start = await spec.open(scope)
      return sides.map((side) => ({ side, start: () => start(side) }))
    },
  }
}
