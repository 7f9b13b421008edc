import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Foreign } from '../foreign.ts'
import { LOOPBACK } from '../ports.ts'
import type { Scope } from '../scope.ts'
import { REVISION_PATH } from './project.ts'
import type { Revision } from './project.ts'

/** Longest that a start or a reload may take. */
const LIMIT_MS = 60_000
/** Often enough for what is measured, which takes hundreds of milliseconds; rarely enough to take nothing from it. */
const POLL_MS = 10

/** One GET on a connection of its own: the status and the body, or '' while nobody answers. */
function ask(port: number, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const call = get({ host: LOOPBACK, port, path: REVISION_PATH, agent: false, signal }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => (body += text))
      response.on('end', () => resolve(`${response.statusCode} ${body}`))
      response.on('error', () => resolve(''))
    })
    call.on('error', () => resolve(''))
  })
}

/**
 * Asks on `port` until the answer is `revision`.
 *
 * @throws {Error} with what the server printed, if it ends or takes too long
 */
export async function untilAnswer(server: Foreign, port: number, revision: Revision, scope: Scope): Promise<void> {
  const limit = AbortSignal.any([server.ended, scope.signal, AbortSignal.timeout(LIMIT_MS)])
  let answer = ''
  try {
    while ((answer = await ask(port, limit)) !== `200 ${revision}`) await sleep(POLL_MS, undefined, { signal: limit })
  } catch {
    const reason: unknown = limit.reason
    const why = reason instanceof Error ? reason.message : String(reason)
    throw new Error(`${why}, last answer ${JSON.stringify(answer)}: ${server.tail()}`)
  }
}
