import { parseArgs } from 'node:util'
import { HawserError } from '@hawser/core'
import type { Case } from './case.ts'

/** What the command line asks for, checked. */
export interface BenchOptions {
  readonly help: boolean
  readonly list: boolean
  readonly json: boolean
  /** Measurements of each side, after one to warm up. */
  readonly runs: number
  readonly cases: readonly Case[]
  /** Folder for CPU profiles of the Hawser processes. */
  readonly cpuProf?: string | undefined
}

/** An odd number, so that the median is a measurement; five is the least that a figure here may stand on. */
export const DEFAULT_RUNS = 5
const MAX_RUNS = 1_000

export const HELP = `npm run bench -- [options] [case…]

Measures Hawser against its peers on this machine, both sides in turn, and prints ratios.
A case is a name of --list or the beginning of one up to a dash: "tunnel" is all of "tunnel-…".

  --list           cases, their sides, and which peers are absent
  --json           print one array of { case, unit, ours, peer, theirs, ratio }; progress goes to stderr
  --runs N         measurements of each side, after a warm-up (default ${DEFAULT_RUNS})
  --cpu-prof DIR   write CPU profiles of the edge and connector processes into DIR
  --help           this text

Exits 0, or 1 if a side that is present failed, or 2 for a wrong option. Quieter under npm: npm run -s bench -- --json
`

function selectCases(all: readonly Case[], names: readonly string[]): readonly Case[] {
  if (names.length === 0) return all
  const matches = (name: string, of: Case): boolean => of.name === name || of.name.startsWith(`${name}-`)
  const stranger = names.find((name) => !all.some((of) => matches(name, of)))
  if (stranger !== undefined) {
    const known = all.map((of) => of.name).join(', ')
    throw new HawserError('options_invalid', `case: no ${JSON.stringify(stranger)}; known are ${known}`)
  }
  return all.filter((of) => names.some((name) => matches(name, of)))
}

function readRuns(text: string | undefined): number {
  if (text === undefined) return DEFAULT_RUNS
  const runs = Number(text)
  if (!/^\d+$/.test(text) || runs < 1 || runs > MAX_RUNS) {
    const message = `--runs: expected a whole number of 1 to ${MAX_RUNS}, got ${JSON.stringify(text)}`
    throw new HawserError('options_invalid', message)
  }
  return runs
}

/** @throws {HawserError} `options_invalid`, naming the option or case */
export function parseOptions(words: readonly string[], all: readonly Case[]): BenchOptions {
  const flag = { type: 'boolean', default: false } as const
  const text = { type: 'string' } as const
  const options = { help: flag, list: flag, json: flag, runs: text, 'cpu-prof': text }
  try {
    const { values, positionals } = parseArgs({ args: [...words], options, allowPositionals: true })
    const cases = selectCases(all, positionals)
    const { help, list, json } = values
    return { help, list, json, runs: readRuns(values.runs), cases, cpuProf: values['cpu-prof'] }
  } catch (error) {
    throw HawserError.from(error, 'options_invalid')
  }
}
