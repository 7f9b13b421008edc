import { HOST_NAMES } from './hosts/host.ts'
import type { HostName } from './hosts/host.ts'
import type { Result } from './suite.ts'

/** One row of docs/sockets-differences.md: a behaviour that one host does not share, and why. */
export interface Difference {
  readonly id: string
  readonly host: HostName
  readonly reason: string
}

const ROW = /^\|\s*`?(?<id>S-\w+)`?\s*\|\s*(?<host>[^|]*?)\s*\|\s*(?<reason>.*?)\s*\|\s*$/

/**
 * Reads the rows of the page's table; everything else on the page is for people.
 *
 * @throws {Error} for a row that is not `| behaviour id | host | reason |`
 */
export function parseDifferences(markdown: string): Difference[] {
  const found: Difference[] = []
  for (const [index, line] of markdown.split('\n').entries()) {
    if (!/^\|\s*`?S-/.test(line)) continue
    const { id = '', host = '', reason = '' } = ROW.exec(line)?.groups ?? {}
    const name = HOST_NAMES.find((known) => known === host)
    if (name === undefined || reason === '') {
      throw new Error(`line ${index + 1}: expected | id | ${HOST_NAMES.join(' or ')} | reason |, got ${line}`)
    }
    if (found.some((other) => other.id === id && other.host === name)) {
      throw new Error(`line ${index + 1}: ${id} on ${name} is listed twice`)
    }
    found.push({ id, host: name, reason })
  }
  return found
}

export interface Verdict {
  /** Failures without a row. */
  readonly unexplained: readonly Result[]
  /** Rows whose behaviour passes, or does not exist. */
  readonly stale: readonly Difference[]
}

/**
 * Holds the failures against the rows. Rows about hosts or behaviours that were not run are left alone, but for those of
 * behaviours that are in no list at all.
 *
 * @param knownIds of all behaviours, run or not
 */
export function judge(
  results: readonly Result[],
  differences: readonly Difference[],
  knownIds: ReadonlySet<string>,
): Verdict {
  const explains = (row: Difference, result: Result): boolean => row.id === result.id && row.host === result.host
  return {
    unexplained: results.filter(
      (result) => result.failure !== undefined && !differences.some((row) => explains(row, result)),
    ),
    stale: differences.filter(
      (row) => !knownIds.has(row.id) || results.some((result) => explains(row, result) && result.failure === undefined),
    ),
  }
}
