/**
 * Who has to act on an error. `upstream`: the target or the way to it. `client`: the caller of a flow. `internal`: Hawser
 * itself. `usage`: whoever wrote an option, a configuration file or a command line.
 */
export type ErrorClass = 'upstream' | 'client' | 'internal' | 'usage'

interface ErrorKind {
  readonly class: ErrorClass
  /** True where the same call may succeed a moment later without anyone changing anything. */
  readonly retryable: boolean
  /** One line for the errors page and for `--help`. */
  readonly summary: string
}

/**
 * Every code a caller may switch on. The first block are the vendor's documented codes, spelled as documented (V-040);
 * the rest are Hawser's own. A code is never renamed or reused.
 */
export const ERRORS = {
  connection_refused: { class: 'upstream', retryable: true, summary: 'the target refused the TCP connection' },
  connection_terminated: { class: 'upstream', retryable: true, summary: 'the connection ended early' },
  connection_timeout: { class: 'upstream', retryable: true, summary: 'the target did not answer in time' },
  connection_limit_reached: { class: 'upstream', retryable: true, summary: 'too many open connections' },
  destination_unavailable: { class: 'upstream', retryable: true, summary: 'no connector or target is available' },
  destination_not_found: { class: 'upstream', retryable: false, summary: 'no route leads to the address' },
  destination_ip_prohibited: { class: 'upstream', retryable: false, summary: 'the address may not be reached' },
  destination_ip_unroutable: { class: 'upstream', retryable: false, summary: 'the network has no way to the address' },
  proxy_loop_detected: { class: 'upstream', retryable: false, summary: 'the call would come back to the edge' },
  dns_error: { class: 'upstream', retryable: false, summary: 'the name does not resolve' },
  dns_timeout: { class: 'upstream', retryable: true, summary: 'the resolver did not answer in time' },
  tls_protocol_error: { class: 'upstream', retryable: false, summary: 'the TLS handshake failed' },
  tls_certificate_error: { class: 'upstream', retryable: false, summary: 'the certificate was not accepted' },
  http_request_error: { class: 'upstream', retryable: true, summary: 'the request could not be sent' },
  http_upgrade_failed: { class: 'upstream', retryable: false, summary: 'the target refused the upgrade' },
  http_request_denied: { class: 'upstream', retryable: false, summary: 'a policy denied the request' },
  http_protocol_error: { class: 'upstream', retryable: false, summary: 'the target did not speak valid HTTP' },
  http_response_incomplete: { class: 'upstream', retryable: true, summary: 'the reply was cut off' },
  connection_read_timeout: { class: 'client', retryable: true, summary: 'the read side stayed idle too long' },
  connection_write_timeout: { class: 'client', retryable: true, summary: 'the write side stayed blocked too long' },
  rate_limited: { class: 'client', retryable: true, summary: 'too many calls' },
  proxy_internal_error: { class: 'internal', retryable: false, summary: 'a fault inside Hawser' },

  destination_port_prohibited: { class: 'client', retryable: false, summary: 'the port may not be reached (25)' },
  address_invalid: { class: 'client', retryable: false, summary: 'not a valid host:port' },
  connection_aborted: { class: 'client', retryable: true, summary: 'the caller gave the connection up' },
  tunnel_auth_failed: { class: 'upstream', retryable: false, summary: 'the edge does not accept this token' },
  tunnel_protocol_error: { class: 'upstream', retryable: false, summary: 'the peer broke the tunnel protocol' },
  tunnel_closed: { class: 'upstream', retryable: true, summary: 'the tunnel connection closed' },
  tunnel_timeout: { class: 'upstream', retryable: true, summary: 'the tunnel peer stopped answering' },
  tunnel_stream_limit: { class: 'upstream', retryable: true, summary: 'too many streams on one tunnel connection' },
  tunnel_connector_limit: { class: 'upstream', retryable: true, summary: 'the tunnel has all the connectors it may' },
  tunnel_window_exceeded: { class: 'upstream', retryable: false, summary: 'the peer sent more than its credit' },
  edge_unreachable: { class: 'upstream', retryable: true, summary: 'no edge could be reached' },
  edge_certificate_error: { class: 'upstream', retryable: false, summary: "the edge's certificate was not accepted" },
  options_invalid: { class: 'usage', retryable: false, summary: 'an option is missing or wrong' },
  config_invalid: { class: 'usage', retryable: false, summary: 'a configuration file is missing or wrong' },
  bundle_failed: { class: 'usage', retryable: false, summary: 'the Worker could not be bundled' },
  runtime_failed: { class: 'internal', retryable: false, summary: 'workerd did not start, or ended by itself' },
  token_invalid: { class: 'usage', retryable: false, summary: 'not a tunnel token' },
  listen_failed: { class: 'usage', retryable: false, summary: 'an address could not be listened on' },
  storage_failed: { class: 'internal', retryable: false, summary: 'the data directory could not be used' },
  unauthorized: { class: 'client', retryable: false, summary: 'no valid API token' },
  not_found: { class: 'client', retryable: false, summary: 'no such object' },
  conflict: { class: 'client', retryable: false, summary: 'an object of that name exists or is in use' },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof ERRORS

/** Registered, so that two copies of this package in one process still recognise each other's errors. */
const brand: unique symbol = Symbol.for('hawser.error') as never

/** The only error class Hawser throws on purpose: a stable `code`, a sentence, and the `cause` where there is one. */
export class HawserError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'HawserError'
  readonly code: Code

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    Object.defineProperty(this, brand, { value: true })
  }

  /** True where the same call may succeed a moment later without anyone changing anything. */
  get retryable(): boolean {
    return ERRORS[this.code].retryable
  }

  get class(): ErrorClass {
    return ERRORS[this.code].class
  }

  /** True for a Hawser error and, when `code` is given, for that code alone. */
  static is<C extends ErrorCode>(value: unknown, code?: C): value is HawserError<C> {
    if (typeof value !== 'object' || value === null || !(brand in value)) return false
    return code === undefined || ('code' in value && value.code === code)
  }

  /** Any thrown value as a Hawser error: itself if it is one, else wrapped under `code` with the original as `cause`. */
  static from(value: unknown, code: ErrorCode): HawserError {
    if (HawserError.is(value)) return value
    const message = value instanceof Error ? value.message : String(value)
    return new HawserError(code, message, { cause: value })
  }
}

/** True when `text` is one of the codes of {@link ERRORS}; for codes that arrive over a wire. */
export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === 'string' && Object.hasOwn(ERRORS, text)
}
