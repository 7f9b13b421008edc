import type { Finding } from '../kills.ts'
import { machineMs } from '../machine-clock.ts'
import type { FlowResult } from '../flow/run-flow.ts'

/** What became of all flows so far, as plain data. */
export interface LoadTotals {
  readonly flows: number
  readonly ok: number
  readonly bytes: number
  /** Flows that failed, by code. */
  readonly failures: Readonly<Record<string, number>>
  readonly corrupted: readonly Finding[]
  /** A line for each. */
  readonly silent: readonly string[]
  readonly uncoded: readonly string[]
  /** Flows under way. */
  readonly open: number
}

/** Adds results up. */
export class Tally {
  #flows = 0
  #ok = 0
  #bytes = 0
  readonly #note: (line: string) => void
  readonly #failures: Record<string, number> = {}
  readonly #corrupted: Finding[] = []
  readonly #silent: string[] = []
  readonly #uncoded: string[] = []

  /** @param note told of every flow that did not end well */
  constructor(note: (line: string) => void = () => {}) {
    this.#note = note
  }

  add(result: FlowResult, caller: string, ending: string): void {
    this.#flows += 1
    this.#bytes += result.sent + result.received
    const detail = `flow ${result.id} by ${caller}, ${ending}: ${result.detail ?? ''}`
    if (result.outcome === 'ok') this.#ok += 1
    else
      this.#note(`${result.outcome} ${result.code ?? ''} ${detail}, ${result.sent} sent, ${result.received} received`)
    if (result.outcome === 'corrupted') {
      this.#corrupted.push({ from: caller, atMs: machineMs(), early: result.early === true, problem: detail })
    }
    if (result.outcome === 'failed') {
      const code = result.code ?? 'uncoded'
      this.#failures[code] = (this.#failures[code] ?? 0) + 1
      if (result.code === undefined) this.#uncoded.push(detail)
    }
  }

  addSilent(id: number, caller: string, detail: string): void {
    this.#flows += 1
    this.#silent.push(`flow ${id} by ${caller}: ${detail}`)
  }

  totals(open: number): LoadTotals {
    return {
      flows: this.#flows,
      ok: this.#ok,
      bytes: this.#bytes,
      failures: { ...this.#failures },
      corrupted: [...this.#corrupted],
      silent: [...this.#silent],
      uncoded: [...this.#uncoded],
      open,
    }
  }
}

/** Of one run after another. */
export function sumOf(one: LoadTotals, other: LoadTotals): LoadTotals {
  const failures = { ...one.failures }
  for (const [code, count] of Object.entries(other.failures)) failures[code] = (failures[code] ?? 0) + count
  return {
    flows: one.flows + other.flows,
    ok: one.ok + other.ok,
    bytes: one.bytes + other.bytes,
    failures,
    corrupted: [...one.corrupted, ...other.corrupted],
    silent: [...one.silent, ...other.silent],
    uncoded: [...one.uncoded, ...other.uncoded],
    open: one.open + other.open,
  }
}
