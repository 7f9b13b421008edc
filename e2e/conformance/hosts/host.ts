import type { Order, Outcome } from '../worker/handler.ts'

export const HOST_NAMES = ['native', 'hawser', 'node'] as const
export type HostName = (typeof HOST_NAMES)[number]

/** One implementation of `connect()`, running. */
export interface Host extends AsyncDisposable {
  readonly name: HostName
  /** True where behaviours for bindings can be run over one. */
  readonly hasBinding: boolean
  carryOut(order: Order): Promise<Outcome>
}

/** What a host needs to know of the run. */
export interface HostOptions {
  /** Of the harness, for the behaviours' requests. */
  readonly harnessUrl: string
  /** The CA to trust. */
  readonly caPem: string
  /** A file with the same. */
  readonly caFile: string
  /** An empty folder that lasts as long as the host. */
  readonly folder: string
}

/** Well over the limit of a behaviour itself: reached only when a host hangs as a whole. */
const ANSWER_LIMIT_MS = 30_000

/** Gives the order to whatever serves `worker/handler.ts` at `url`. */
export async function post(url: string | URL, order: Order): Promise<Outcome> {
  try {
    const signal = AbortSignal.timeout(ANSWER_LIMIT_MS)
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(order), signal })
    const text = await response.text()
    if (!response.ok) return { failure: `the host answered ${response.status}: ${text.slice(0, 200)}` }
    return JSON.parse(text) as Outcome
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : ''
    return { failure: `the host did not answer: ${error instanceof Error ? error.message : String(error)}${cause}` }
  }
}
