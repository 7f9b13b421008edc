import type { Case, CaseLabel, Contender, Measurement, Side } from './case.ts'
import { Scope } from './scope.ts'
import { compare } from './stats.ts'
import type { Comparison } from './stats.ts'

/** One line of the result: Hawser against one peer in one case. */
export interface Figure extends Comparison {
  readonly label: CaseLabel
  readonly peer: string
}

/** Why a side has no figure in a case. */
export interface Missing {
  readonly case: string
  readonly side: string
  readonly reason: string
}

export interface CaseResult {
  readonly figures: readonly Figure[]
  /** Peers that this machine does not have. */
  readonly absent: readonly Missing[]
  /** Sides that should have run and did not. */
  readonly failed: readonly Missing[]
}

/** Measurements of each side for the record; nothing on a data path. */
export type Progress = (line: string) => void

/** A side that is running, with what it has measured so far. */
interface Runner {
  readonly side: string
  readonly measure: Measurement
  readonly samples: number[]
}

/** Long enough for any sentence; a compiler's whole output is not a reason but a report. */
const MAX_REASON_CHARS = 400

/** The message of an error on one line. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_REASON_CHARS)
}

/** One case under way. A side that fails leaves; the others go on. */
class CaseRun {
  readonly #case: Case
  readonly #signal: AbortSignal
  readonly #progress: Progress
  readonly #absent: Missing[] = []
  readonly #failed: Missing[] = []
  #runners: Runner[] = []

  constructor(of: Case, signal: AbortSignal, progress: Progress) {
    this.#case = of
    this.#signal = signal
    this.#progress = progress
  }

  async run(rounds: number): Promise<CaseResult> {
    const [ours] = this.#case.sides
    try {
      await using scope = await Scope.open(this.#signal)
      for (const contender of await this.#case.open(scope)) await this.#start(contender)
      for (let left = this.#case.warmUps; left > 0 && this.#isWorthwhile(); left -= 1) await this.#round('warm-up')
      for (const runner of this.#runners) runner.samples.length = 0
      for (let round = 1; round <= rounds && this.#isWorthwhile(); round += 1) {
        await this.#round(`run ${round}/${rounds}`)
      }
    } catch (error) {
      this.#signal.throwIfAborted()
      this.#fail(ours?.name ?? 'hawser', error)
      this.#runners = []
    }
    return { figures: this.#figures(ours?.name), absent: this.#absent, failed: this.#failed }
  }

  /** A ratio needs Hawser and at least one peer. */
  #isWorthwhile(): boolean {
    return this.#runners.length > 1 && this.#runners[0]?.side === this.#case.sides[0]?.name
  }

  async #start(contender: Contender): Promise<void> {
    const { side } = contender
    const reason = await this.#absence(side)
    if (reason !== undefined) {
      this.#absent.push({ case: this.#case.name, side: side.name, reason })
      return
    }
    try {
      this.#runners.push({ side: side.name, measure: await contender.start(), samples: [] })
    } catch (error) {
      this.#fail(side.name, error)
    }
  }

  async #absence(side: Side): Promise<string | undefined> {
    try {
      await side.prepare?.(this.#signal)
    } catch (error) {
      this.#signal.throwIfAborted()
      return reasonOf(error)
    }
    return side.absence()
  }

  /** Measures every side once, in the same order every time: A B C A B C. */
  async #round(title: string): Promise<void> {
    const texts: string[] = []
    for (const runner of this.#runners) {
      try {
        const sample = await runner.measure()
        runner.samples.push(sample)
        texts.push(`${runner.side} ${sample.toPrecision(4)}`)
      } catch (error) {
        this.#fail(runner.side, error)
      }
    }
    this.#progress(`${this.#case.name}: ${title}: ${texts.join(', ')} ${this.#case.unit}`)
  }

  #fail(side: string, error: unknown): void {
    this.#signal.throwIfAborted()
    this.#runners = this.#runners.filter((runner) => runner.side !== side)
    this.#failed.push({ case: this.#case.name, side, reason: reasonOf(error) })
    this.#progress(`${this.#case.name}: ${side} failed: ${reasonOf(error)}`)
  }

  #figures(oursName: string | undefined): Figure[] {
    const ours = this.#runners.find((runner) => runner.side === oursName)
    if (ours === undefined) return []
    const figures: Figure[] = []
    for (const { side, samples } of this.#runners) {
      if (side === oursName) continue
      try {
        const comparison = compare(ours.samples, samples, this.#case.better)
        figures.push({ ...comparison, label: this.#case, peer: side })
      } catch (error) {
        this.#failed.push({ case: this.#case.name, side, reason: reasonOf(error) })
      }
    }
    return figures
  }
}

/**
 * Runs one case: every side once to warm up, then `rounds` rounds in which every side is measured in turn. What fails or
 * is absent is part of the result.
 *
 * @throws the reason of `signal`, once it has aborted and everything started is gone
 */
export function measureCase(of: Case, rounds: number, signal: AbortSignal, progress: Progress): Promise<CaseResult> {
  return new CaseRun(of, signal, progress).run(rounds)
}
