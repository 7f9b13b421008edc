import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { findCommand } from '../find-command.ts'
import type { LoadOperations } from '../roles/load.ts'
import { startRole } from '../role.ts'
import type { Scope } from '../scope.ts'

export const HTTP_CONNECTIONS = 32
/** wrk counts whole seconds. */
const SECONDS = 2

/** Sends GETs to a URL for a while and gives requests a second. */
export type HttpLoadRun = (url: string) => Promise<number>

const run = promisify(execFile)

/** Reads the report of wrk. @throws {Error} if any request failed, or there is no figure */
export function parseWrk(report: string): number {
  const trouble = /^\s*(?:Non-2xx or 3xx responses|Socket errors):.*$/m.exec(report)
  if (trouble !== null) throw new Error(`wrk: ${trouble[0].trim()}`)
  const rate = Number(/^Requests\/sec:\s+([\d.]+)\s*$/m.exec(report)?.[1])
  if (!(rate > 0)) throw new Error(`wrk: no requests came through: ${report}`)
  return rate
}

/** The generator for HTTP cases: wrk where it is installed, our own otherwise; the same for every side of a run. */
export async function openHttpLoad(scope: Scope): Promise<HttpLoadRun> {
  const load = await startRole<LoadOperations>(scope, 'load')
  const wrk = findCommand('wrk')
  return async (url) => {
    await load.call('probe', url) // wrk counts failures but does not show them
    if (wrk === undefined) {
      return load.call('http', { url, connections: HTTP_CONNECTIONS, rampMs: 300, countMs: SECONDS * 1_000 })
    }
    const words = ['-t1', `-c${HTTP_CONNECTIONS}`, `-d${SECONDS}s`, url]
    return parseWrk((await run(wrk, words, { signal: scope.signal })).stdout)
  }
}
