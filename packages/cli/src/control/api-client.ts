import { HawserError, systemCode } from '@hawser/core'
import type { ErrorCode, Secret } from '@hawser/core'

/** Where the control API is and who asks. */
export interface ApiAccess {
  /** Base URL without a slash at the end: `http://127.0.0.1:7845/client/v4`. */
  readonly base: string
  readonly token: Secret
  readonly signal: AbortSignal
}

/** Codes by HTTP status. The API's own numbers say less and are left out. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'options_invalid',
  401: 'unauthorized',
  403: 'unauthorized',
  404: 'not_found',
  409: 'conflict',
  429: 'rate_limited',
  507: 'storage_failed',
}
/** An API that says nothing for this long is taken for dead. */
const TIMEOUT_MS = 30_000

/** The form of every answer of a v4 API, success or not. */
interface Envelope {
  readonly success: boolean
  readonly errors: readonly { readonly message: string }[]
  readonly result: unknown
}

function isEnvelope(value: unknown): value is Envelope {
  if (typeof value !== 'object' || value === null) return false
  return 'success' in value && 'result' in value && 'errors' in value && Array.isArray(value.errors)
}

/** A client of Cloudflare's v4 API, as far as this command needs it. */
export class ApiClient {
  readonly #access: ApiAccess

  constructor(access: ApiAccess) {
    this.#access = access
  }

  /**
   * One call.
   *
   * @param path below the base, with its leading slash; encode what goes into it
   * @returns the `result` of the envelope, as it came
   * @throws {HawserError} `edge_unreachable`, or by the answer `unauthorized`, `not_found`, `conflict`, `options_invalid`,
   *   `rate_limited`, `storage_failed`, `http_protocol_error`
   */
  async call(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
    const { base, token, signal } = this.#access
    const headers = { authorization: `Bearer ${token.reveal()}`, 'content-type': 'application/json' }
    const content = body === undefined ? {} : { body: JSON.stringify(body) }
    let status: number
    let text: string
    try {
      const response = await fetch(`${base}${path}`, {
        method,
        headers,
        ...content,
        redirect: 'error', // the token is for this address
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      })
      status = response.status
      text = await response.text()
    } catch (error) {
      if (signal.aborted) throw new HawserError('connection_aborted', 'given up', { cause: error })
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
      const reason = systemCode(cause) ?? (cause instanceof Error ? cause.message : String(cause))
      throw new HawserError('edge_unreachable', `no answer from the API at ${base}: ${reason}`, { cause: error })
    }
    return readEnvelope(base, status, text)
  }
}

/** The envelope decides, not the status: the vendor's API fails with 200 at times. */
function readEnvelope(base: string, status: number, text: string): unknown {
  let envelope: unknown
  try {
    envelope = JSON.parse(text)
  } catch {
    // said below
  }
  if (!isEnvelope(envelope)) {
    throw new HawserError('http_protocol_error', `what answers at ${base} is not a v4 API: status ${status}`)
  }
  if (envelope.success) return envelope.result
  const told = envelope.errors.map(({ message }) => message).join('; ')
  throw new HawserError(CODES[status] ?? 'http_request_error', told === '' ? `the API answered ${status}` : told)
}
