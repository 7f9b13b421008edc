/** Errors with the codes and words of Node.js, for drivers decide by them what to do next. */

/** What a failed connection carries beside its message; `flow` is ours, the rest as in Node.js. */
export interface ConnectionErrorFields {
  readonly code: string
  readonly errno: number
  readonly syscall: string
  readonly address?: string
  readonly port?: number
  readonly hostname?: string
  readonly flow?: string | undefined
}

/** Of Linux, and of libuv for what Linux has no number for. */
const ERRNO: Readonly<Record<string, number>> = {
  EIO: -5,
  EAGAIN: -11,
  EACCES: -13,
  EINVAL: -22,
  EPIPE: -32,
  EPROTO: -71,
  ECONNABORTED: -103,
  ECONNRESET: -104,
  ETIMEDOUT: -110,
  ECONNREFUSED: -111,
  EHOSTUNREACH: -113,
  EAI_AGAIN: -3001,
  ENOTFOUND: -3008,
}

/** Hawser's codes for a connection that could not be opened → what Node.js would have said. */
const NODE_CODES: Readonly<Record<string, string>> = {
  connection_refused: 'ECONNREFUSED',
  connection_terminated: 'ECONNRESET',
  connection_timeout: 'ETIMEDOUT',
  connection_limit_reached: 'EAGAIN',
  rate_limited: 'EAGAIN',
  destination_unavailable: 'EHOSTUNREACH',
  destination_not_found: 'EHOSTUNREACH',
  destination_ip_unroutable: 'EHOSTUNREACH',
  destination_ip_prohibited: 'EACCES',
  destination_port_prohibited: 'EACCES',
  proxy_loop_detected: 'EACCES',
  http_request_denied: 'EACCES',
  dns_error: 'ENOTFOUND',
  dns_timeout: 'EAI_AGAIN',
  tls_protocol_error: 'EPROTO',
  address_invalid: 'EINVAL',
  connection_aborted: 'ECONNABORTED',
  tunnel_closed: 'ECONNRESET',
  tunnel_timeout: 'ETIMEDOUT',
  tunnel_stream_limit: 'EAGAIN',
}

/** OpenSSL's verdicts on certificates, by the words in which Node.js passes them on; each has a space, as no host has. */
const CERTIFICATE_CODES: readonly (readonly [words: RegExp, code: string])[] = [
  [/ alert /i, 'EPROTO'], // it is the target that did not accept ours
  [/self.signed certificate in certificate chain/i, 'SELF_SIGNED_CERT_IN_CHAIN'],
  [/self.signed certificate/i, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  [/certificate has expired/i, 'CERT_HAS_EXPIRED'],
  [/certificate is not yet valid/i, 'CERT_NOT_YET_VALID'],
  [/certificate revoked/i, 'CERT_REVOKED'],
  [/does not match certificate's altnames/i, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  [/unable to get (local )?issuer certificate/i, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
]

function certificateCode(message: string): string {
  const found = CERTIFICATE_CODES.find(([words]) => words.test(message))
  return found?.[1] ?? 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
}

/** What the edge says of a failed connection, as its module words it. */
interface EdgeError {
  readonly code?: unknown
  readonly flow?: string
  readonly cause?: { readonly message?: unknown }
}

/** The first sentence of Node.js, then ours: an error that only names a number sends people to the wrong place. */
function failed(syscall: string, code: string, where: string, reason: Error, fields: object): Error {
  const detail = (reason as EdgeError).cause?.message
  const message = `${syscall} ${code} ${where}${typeof detail === 'string' ? ` (${detail})` : ''}`
  const errno = ERRNO[code]
  const { flow } = reason as EdgeError
  return Object.assign(new Error(message, { cause: reason }), {
    ...(errno === undefined ? {} : { errno }),
    code,
    syscall,
    ...fields,
    ...(flow === undefined ? {} : { flow }),
  })
}

/**
 * Node's error for a connection, or its TLS handshake, that failed for `reason`.
 *
 * @param host as the caller gave it
 */
export function connectError(reason: unknown, host: string, port: number): Error {
  const error = reason instanceof Error ? reason : new Error('the connection failed', { cause: reason })
  const edgeCode = String((error as EdgeError).code)
  if (edgeCode === 'tls_certificate_error') {
    const detail = String((error as EdgeError).cause?.message)
    return failed('connect', certificateCode(detail), `${host}:${port}`, error, { host })
  }
  const code = NODE_CODES[edgeCode] ?? 'EIO'
  if (edgeCode.startsWith('dns_')) return failed('getaddrinfo', code, host, error, { hostname: host })
  return failed('connect', code, `${host}:${port}`, error, { address: host, port })
}

/** The connection was lost while `syscall` was under way. */
export function lostError(syscall: 'read' | 'write', cause: unknown): Error {
  const code = 'ECONNRESET'
  return Object.assign(new Error(`${syscall} ${code}`, { cause }), { errno: ERRNO[code], code, syscall })
}

/** S-274. */
export function endedByPeerError(): Error {
  return Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' })
}

type ErrorClass = new (message: string) => Error

/** An error of wrong use; `code` as in Node.js. */
export function codedError(Base: ErrorClass, code: string, message: string): Error {
  return Object.assign(new Base(message), { code })
}

/** What has no meaning here and must not be taken for granted. */
export function notImplemented(option: string, instead = ''): Error {
  return codedError(Error, 'ERR_OPTION_NOT_IMPLEMENTED', `The ${option} option is not implemented${instead}`)
}

function received(value: unknown): string {
  if (value === null || value === undefined) return `Received ${String(value)}`
  if (typeof value === 'object') return 'Received an object'
  if (typeof value === 'function') return 'Received a function'
  return `Received type ${typeof value} (${typeof value === 'string' ? `'${value}'` : String(value as number)})`
}

export function invalidType(what: string, expected: string, value: unknown): Error {
  return codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The ${what} must be ${expected}. ${received(value)}`)
}
