import type { LoadTotals } from './load/tally.ts'
import { summarise } from './recovery.ts'
import type { Recovery } from './recovery.ts'
import { describeFault } from './schedule.ts'
import type { Fault } from './schedule.ts'

/** Resident memory of one process, idle: after the rehearsal, and after everything has ended. */
export interface MemoryReading {
  readonly process: string
  readonly startBytes: number
  readonly endBytes: number
}

/** All that was observed. */
export interface Observed {
  readonly seed: number
  readonly seconds: number
  readonly schedule: readonly Fault[]
  readonly load: Omit<LoadTotals, 'corrupted'>
  /** What callers and target found wrong, a line for each. */
  readonly corrupted: readonly string[]
  readonly recoveries: readonly Recovery[]
  readonly memory: readonly MemoryReading[]
  /** A line for each thing left over. */
  readonly leaks: readonly string[]
  /** All else that must not be: a process that ended by itself, a stop that hung. */
  readonly problems: readonly string[]
}

/** What `--json` prints. */
export interface ChaosReport {
  readonly flows: number
  readonly bytes: number
  readonly failures: Readonly<Record<string, number>>
  readonly corrupted: number
  readonly silent: number
  readonly leaked: number
  /** The longest; 2000 are allowed. */
  readonly recoverMs: number
  readonly recoverMedianMs: number
  readonly seed: number
  readonly seconds: number
  readonly passed: boolean
  /** Why it did not pass, in words. */
  readonly findings: readonly string[]
  readonly memory: readonly MemoryReading[]
  readonly recoveries: readonly Recovery[]
  readonly schedule: readonly Fault[]
}

const MAX_RECOVER_MS = 2_000
const MAX_GROWTH = 1.1
/** A run that broke hundreds of flows says so a few times. */
const MAX_EXAMPLES = 10

/** Whether memory is back. */
export function isBack({ startBytes, endBytes }: MemoryReading): boolean {
  return endBytes <= startBytes * MAX_GROWTH
}

const mib = (bytes: number): string => `${(bytes / 1_048_576).toFixed(0)} MiB`

function findingsOf(observed: Observed): string[] {
  const { load, corrupted, recoveries, memory, leaks, problems } = observed
  const findings = [...problems]
  const add = (what: string, lines: readonly string[]): void => {
    findings.push(...lines.slice(0, MAX_EXAMPLES).map((line) => `${what}: ${line}`))
    if (lines.length > MAX_EXAMPLES) findings.push(`${what}: and ${lines.length - MAX_EXAMPLES} more`)
  }
  add('corrupted', corrupted)
  add('silent', load.silent)
  add('failed without a code', load.uncoded)
  add('left over', leaks)
  const slow = recoveries.filter(({ tookMs }) => tookMs > MAX_RECOVER_MS)
  add(
    'slow to recover',
    slow.map(({ why, tookMs }) => `${why}, and no new flow succeeded for ${Math.round(tookMs)} ms`),
  )
  const grown = memory.filter((reading) => !isBack(reading))
  add(
    'memory has not come back',
    grown.map(({ process, startBytes, endBytes }) => `${process} had ${mib(startBytes)}, has ${mib(endBytes)}`),
  )
  if (load.flows === 0) findings.push('no flow was run')
  return findings
}

/** Judges. */
export function reportOf(observed: Observed): ChaosReport {
  const { seed, seconds, schedule, load, corrupted, recoveries, memory, leaks } = observed
  const findings = findingsOf(observed)
  const { maxMs, medianMs } = summarise(recoveries)
  return {
    flows: load.flows,
    bytes: load.bytes,
    failures: load.failures,
    corrupted: corrupted.length,
    silent: load.silent.length,
    leaked: leaks.length,
    recoverMs: maxMs,
    recoverMedianMs: medianMs,
    seed,
    seconds,
    passed: findings.length === 0,
    findings,
    memory,
    recoveries,
    schedule,
  }
}

/** For people. */
export function textReport(report: ChaosReport): string {
  const { flows, bytes, failures, corrupted, silent, leaked, memory, findings, seed } = report
  const codes = Object.entries(failures).toSorted(([, one], [, other]) => other - one)
  return [
    `${flows} flows, ${(bytes / 1e6).toFixed(0)} MB, ${corrupted} corrupted, ${silent} silent, ${leaked} left over`,
    ...codes.map(([code, count]) => `  ${String(count).padStart(6)} failed with ${code}`),
    `new flows after ${report.recoverMedianMs} ms (median), ${report.recoverMs} ms (longest)`,
    ...memory.map(
      ({ process, startBytes, endBytes }) => `${process}: ${mib(startBytes)} before, ${mib(endBytes)} after`,
    ),
    '',
    ...(findings.length === 0 ? ['passed'] : ['FAILED', ...findings.map((finding) => `  ${finding}`)]),
    `to repeat: npm run chaos -- --seed ${seed} --minutes ${Math.round((report.seconds / 60) * 100) / 100}`,
    ...(findings.length === 0 ? [] : ['what went wrong when:', ...report.schedule.map(describeFault)]),
    '',
  ].join('\n')
}
