/** What the edge says of a call that failed, or what this side says of the way to the edge. */
export interface FlowFailure {
  /** Stable: what programs switch on. */
  readonly code: string
  readonly message: string
  /** The flow's id, as it is in the logs of the edge; undefined where there was none. */
  readonly flow?: string | undefined
  /** What Node threw, where it was Node. */
  readonly cause?: unknown
}

/** What every failed call of a binding throws: `ProxyError: <code>` (V-039), as in Workers. */
export interface ProxyError extends Error {
  readonly code: string
  readonly flow: string | undefined
}

/** A new one at each call. Its `cause` says in words what went wrong. */
export function proxyError({ code, message, flow, cause }: FlowFailure): ProxyError {
  return Object.assign(new Error(`ProxyError: ${code}`, { cause: new Error(message, { cause }) }), { code, flow })
}

/** Reads `{ code, message, flow }` of an answer of the edge's own; undefined for any other text. */
export function readFailure(text: string): FlowFailure | undefined {
  try {
    const { code, message, flow } = JSON.parse(text) as Readonly<Record<string, unknown>>
    if (typeof code !== 'string' || typeof message !== 'string') return undefined
    return { code, message, flow: typeof flow === 'string' ? flow : undefined }
  } catch {
    return undefined
  }
}

/** Codes by which Node says that a certificate was not accepted. */
const CERTIFICATE = /^(?:CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT_|INVALID_CA|HOSTNAME_MISMATCH)/

/** A failure on its way to the errors that are made of it. */
export class FlowFailed extends Error implements FlowFailure {
  readonly code: string
  readonly flow: string | undefined

  constructor({ code, message, flow, cause }: FlowFailure) {
    super(message, { cause })
    this.code = code
    this.flow = flow
  }
}

/** A failure of the way to the edge, where the edge itself has not said anything. */
export function linkFailed(edge: string, cause: Error): FlowFailed {
  if (cause instanceof FlowFailed) return cause
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  const reason = code === '' ? cause.message : `${cause.message} (${code})`
  if (CERTIFICATE.test(code)) {
    return new FlowFailed({
      code: 'edge_certificate_error',
      message: `${edge} is not the edge of this token: ${reason}`,
      cause,
    })
  }
  return new FlowFailed({ code: 'edge_unreachable', message: `${edge}: ${reason}`, cause })
}
