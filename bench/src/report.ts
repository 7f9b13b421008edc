import type { CaseResult, Figure, Missing } from './measure.ts'

/** One element of the array that `--json` prints. Other tools read these names. */
export interface JsonFigure {
  readonly case: string
  readonly unit: string
  readonly ours: number
  readonly peer: string
  readonly theirs: number
  /** Above 1: Hawser is better. */
  readonly ratio: number
}

const DIGITS = 4

/** `value` without digits that no measurement here can stand for. */
function rounded(value: number): number {
  return Number(value.toPrecision(DIGITS))
}

/** The figures in the shape of `--json`. */
export function toJson(results: readonly CaseResult[]): JsonFigure[] {
  return results
    .flatMap((result) => result.figures)
    .map(({ label, peer, ours, theirs, ratio }) => ({
      case: label.name,
      unit: label.unit,
      ours: rounded(ours),
      peer,
      theirs: rounded(theirs),
      ratio: rounded(ratio),
    }))
}

const HEADINGS = ['case', 'unit', 'ours', 'peer', 'theirs', 'ratio', 'spread'] as const
/** Columns of figures, which line up on the right. */
const NUMERIC = new Set<string>(['ours', 'theirs', 'ratio', 'spread'])

function amount(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

function rowOf({ label, peer, ours, theirs, ratio, spread }: Figure): string[] {
  const [low, high] = spread
  const range = `${low.toFixed(2)}–${high.toFixed(2)}`
  return [label.name, label.unit, amount(ours), peer, amount(theirs), ratio.toFixed(2), range]
}

function align(rows: readonly (readonly string[])[]): string[] {
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((text, column) => {
        const width = widths[column] ?? 0
        return NUMERIC.has(HEADINGS[column] ?? '') ? text.padStart(width) : text.padEnd(width)
      })
      .join('  ')
      .trimEnd(),
  )
}

/** One line for each distinct side and reason, with the cases it concerns. */
export function missingLines(title: string, missing: readonly Missing[]): string[] {
  const cases = new Map<string, string[]>()
  for (const entry of missing) {
    const key = `${entry.side}: ${entry.reason}`
    cases.set(key, [...(cases.get(key) ?? []), entry.case])
  }
  return [...cases].map(([what, names]) => `${title} ${what} (${names.join(', ')})`)
}

/** What was left out and why, one line each. */
export function notesOf(results: readonly CaseResult[]): string[] {
  return [
    ...missingLines(
      'absent',
      results.flatMap((result) => result.absent),
    ),
    ...missingLines(
      'FAILED',
      results.flatMap((result) => result.failed),
    ),
  ]
}

/** The table for people, and under it how to read it and what is missing from it. */
export function toTable(results: readonly CaseResult[], runs: number): string {
  const figures = results.flatMap((result) => result.figures)
  const table = figures.length === 0 ? ['no figures'] : align([HEADINGS, ...figures.map(rowOf)])
  const legend = [
    `Medians of ${runs} runs of each side, taken in turn on this machine. Above 1: Hawser is better. Spread: single runs.`,
    'Ciphers: TLS_AES_128_GCM_SHA256 (TLS 1.3) for Hawser and stunnel; ssh as installed, with its own default. No compression.',
  ]
  return [...table, '', ...legend, ...notesOf(results), ''].join('\n')
}
