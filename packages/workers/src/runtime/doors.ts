/** What stands between a module inside workerd and the edge. */
import { ERROR_HEADER } from '@hawser/core/authority'
import type { Invocations } from './invocations.worker.ts'

/**
 * What a module is given, hidden from the Worker's code: the edge's two doors for one binding. `fetch()` and `connect()`
 * have one each, because over a unix socket workerd reads a destroyed connection as a clean end.
 */
export interface Doors {
  /** Proxy-form HTTP over the binding's unix socket. */
  readonly EDGE_FETCH: Fetcher
  /** CONNECT over TCP, where a reset arrives as a reset. */
  readonly EDGE_CONNECT: Fetcher
  /** See `Authority.capability`. */
  readonly CAPABILITY: string
  readonly INVOCATIONS: Invocations
}

/** What the edge says of a call that failed. */
export interface FlowFailure {
  readonly code: string
  readonly message: string
  readonly flow?: string | undefined
}

/** Reads `{ code, message, flow }`; whatever is missing is filled in from `fallback`. */
export async function readFailure(response: Response, fallback: FlowFailure): Promise<FlowFailure> {
  const body: unknown = await response.json().catch(() => undefined)
  if (typeof body !== 'object' || body === null) return fallback
  const { code, message, flow } = body as Readonly<Record<string, unknown>>
  return {
    code: typeof code === 'string' ? code : fallback.code,
    message: typeof message === 'string' ? message : fallback.message,
    flow: typeof flow === 'string' ? flow : undefined,
  }
}

/** The failure that an answer of the edge's own carries, or undefined for an answer of the target. */
export async function failureOf(response: Response): Promise<FlowFailure | undefined> {
  const code = response.headers.get(ERROR_HEADER)
  // The edge removes this header from every answer of a target, so it cannot be forged.
  return code === null ? undefined : readFailure(response, { code, message: code })
}
