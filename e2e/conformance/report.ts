import type { Difference, Verdict } from './differences.ts'
import type { HostName } from './hosts/host.ts'
import type { Result } from './suite.ts'
import type { Behaviour } from './support/behaviour.ts'

/** Everything that a run found out. */
export interface Run {
  readonly behaviours: readonly Behaviour[]
  readonly hosts: readonly HostName[]
  readonly results: readonly Result[]
  readonly differences: readonly Difference[]
  readonly verdict: Verdict
}

export interface JsonReport {
  readonly behaviours: number
  readonly hosts: Readonly<Partial<Record<HostName, { readonly pass: number; readonly fail: number }>>>
  readonly unexplained: number
}

const MARKS = { pass: 'ok', explained: 'differs', unexplained: 'FAIL' } as const

function count(run: Run, host: HostName): { pass: number; fail: number } {
  const own = run.results.filter((result) => result.host === host)
  const fail = own.filter(({ failure }) => failure !== undefined).length
  return { pass: own.length - fail, fail }
}

/** The answer to `--json`. */
export function jsonReport(run: Run): JsonReport {
  return {
    behaviours: run.behaviours.length,
    hosts: Object.fromEntries(run.hosts.map((host) => [host, count(run, host)])),
    unexplained: run.verdict.unexplained.length,
  }
}

function mark(run: Run, id: string, host: HostName): string {
  const result = run.results.find((one) => one.id === id && one.host === host)
  if (result?.failure === undefined) return MARKS.pass
  return run.verdict.unexplained.includes(result) ? MARKS.unexplained : MARKS.explained
}

/** Behaviour × host, a line for each behaviour. */
function table(run: Run): string[] {
  const width = 8
  const row = (id: string, cells: readonly string[], title: string): string =>
    `${id.padEnd(width)}${cells.map((cell) => cell.padEnd(width + 1)).join('')}${title}`
  return [
    row('', run.hosts, ''),
    ...run.behaviours.map(({ id, title }) =>
      row(
        id,
        run.hosts.map((host) => mark(run, id, host)),
        title,
      ),
    ),
  ]
}

/** What went wrong, a line each: for a person, and beside `--json` too. */
export function problems({ verdict }: Run): string[] {
  return [
    ...verdict.unexplained.map(({ id, host, failure = '' }) => `${id} on ${host}: ${failure}`),
    ...verdict.stale.map(
      ({ id, host }) => `${id} on ${host}: listed in docs/sockets-differences.md, but not a difference any more`,
    ),
  ]
}

/** The whole report for people. */
export function textReport(run: Run): string {
  const explained = run.differences.filter((row) =>
    run.results.some(({ id, host, failure }) => id === row.id && host === row.host && failure !== undefined),
  )
  const lines = [
    ...table(run),
    '',
    ...explained.map(({ id, host, reason }) => `${id} differs on ${host}: ${reason}`),
    ...problems(run),
    '',
    ...run.hosts.map((host) => `${host.padEnd(8)}${count(run, host).pass} of ${run.behaviours.length} behaviours`),
    `${run.verdict.unexplained.length} unexplained, ${run.verdict.stale.length} stale`,
  ]
  return `${lines.join('\n')}\n`
}
