/**
 * The way from a module inside workerd to the edge. `fetch()` and `connect()` have a door each, because over a unix socket
 * workerd reads a destroyed connection as a clean end; and a failed CONNECT tells nothing, so the reason is asked for after.
 */
import { ERROR_HEADER, FLOWS_HOST, formatAuthority } from '@hawser/core/authority'
import type { Destination } from './address.ts'
import type { NativeOptions } from './socket-options.ts'

/** What a module is given inside workerd, hidden from the Worker's code: the edge's two doors for one binding. */
export interface Doors {
  /** Proxy-form HTTP over the binding's unix socket. */
  readonly EDGE_FETCH: Fetcher
  /** CONNECT over TCP, where a reset arrives as a reset. */
  readonly EDGE_CONNECT: Fetcher
  /** See `Authority.capability`. */
  readonly CAPABILITY: string
}

/** What the edge says of a call that failed. */
export interface FlowFailure {
  readonly code: string
  readonly message: string
  readonly flow?: string | undefined
}

/** For a call of which the edge knows nothing, or that could not be asked about. */
const UNKNOWN_FAILURE: FlowFailure = {
  code: 'destination_unavailable',
  message: 'the connection could not be opened, and the edge does not say why',
}

/** Reads `{ code, message, flow }`; whatever is missing is filled in from `fallback`. */
async function readFailure(response: Response, fallback: FlowFailure): Promise<FlowFailure> {
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

/** Asks what became of the call named `id`. Never rejects. */
async function askOutcome(doors: Doors, id: string): Promise<FlowFailure> {
  try {
    const response = await doors.EDGE_FETCH.fetch(`http://${FLOWS_HOST}/${id}`)
    return response.ok ? await readFailure(response, UNKNOWN_FAILURE) : UNKNOWN_FAILURE
  } catch {
    return UNKNOWN_FAILURE
  }
}

/** 64 random bits as letters and digits. Throws the native text in the global scope, where `connect()` must (S-180). */
function newCallId(): string {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2))
  return `${high.toString(36)}${low.toString(36).padStart(7, '0')}`
}

/** A native socket on its way to the edge, and how to learn why it failed. */
export interface Dialing {
  readonly native: Socket
  readonly explain: () => Promise<FlowFailure>
}

/**
 * Starts one connection. The call's id and the binding's capability travel in the authority of the CONNECT; an address
 * too long for that goes by the unix socket, which identifies the binding but can neither name the call nor carry a reset.
 */
export function dial(doors: Doors, destination: Destination, options: NativeOptions): Dialing {
  const { host, port } = destination
  const id = newCallId()
  const authority = formatAuthority({ host, port, operation: 'c', id, capability: doors.CAPABILITY })
  if (authority === undefined) {
    const native = doors.EDGE_FETCH.connect({ hostname: host, port }, options)
    return { native, explain: () => Promise.resolve(UNKNOWN_FAILURE) }
  }
  // As an object: in text form the native function would parse the authority as a URL, which not every host survives.
  const hostname = authority.slice(0, authority.lastIndexOf(':'))
  return { native: doors.EDGE_CONNECT.connect({ hostname, port }, options), explain: () => askOutcome(doors, id) }
}
