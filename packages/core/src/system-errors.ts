import { HawserError } from './errors.ts'
import type { ErrorCode } from './errors.ts'

/** Operating-system and resolver codes, and the flow code each stands for when a target is dialled. */
const DIAL_CODES: Readonly<Record<string, ErrorCode>> = {
  ECONNREFUSED: 'connection_refused',
  ECONNRESET: 'connection_terminated',
  EPIPE: 'connection_terminated',
  ETIMEDOUT: 'connection_timeout',
  EHOSTUNREACH: 'destination_ip_unroutable',
  ENETUNREACH: 'destination_ip_unroutable',
  EADDRNOTAVAIL: 'destination_ip_unroutable',
  EACCES: 'destination_ip_prohibited',
  EPERM: 'destination_ip_prohibited',
  EMFILE: 'connection_limit_reached',
  ENFILE: 'connection_limit_reached',
  ENOTFOUND: 'dns_error',
  ENODATA: 'dns_error',
  EAI_NONAME: 'dns_error',
  EAI_NODATA: 'dns_error',
  EAI_FAIL: 'dns_error',
  ESERVFAIL: 'dns_error',
  EAI_AGAIN: 'dns_timeout',
  ETIMEOUT: 'dns_timeout',
}

/** The operating-system code of a thrown value (`ECONNREFUSED`, …), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/**
 * What a failed dial or lookup means to the caller of a flow (codes of V-040).
 *
 * @param what the address, for the message: `10.0.0.1:5432`
 */
export function dialError(error: unknown, what: string): HawserError {
  if (HawserError.is(error)) return error
  const code = systemCode(error)
  const mapped = code === undefined ? undefined : DIAL_CODES[code]
  const reason = error instanceof Error ? error.message : String(error)
  return new HawserError(mapped ?? 'destination_unavailable', `${what}: ${reason}`, { cause: error })
}
