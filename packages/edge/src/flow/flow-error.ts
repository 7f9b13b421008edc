import { HawserError } from '@hawser/core'
import type { ErrorCode } from '@hawser/core'

const TUNNEL_CODES: ReadonlySet<ErrorCode> = new Set([
  'tunnel_closed',
  'tunnel_protocol_error',
  'tunnel_stream_limit',
  'tunnel_timeout',
  'tunnel_window_exceeded',
])

/** True where the way failed, not the target: another connection of the same tunnel may do. */
export function isTunnelError(error: unknown): error is HawserError {
  return HawserError.is(error) && TUNNEL_CODES.has(error.code)
}

/**
 * An error as a Worker is told of it: in the codes that the vendor documents (V-040), to which tunnels are unknown.
 *
 * @param code for an error of the tunnel, or of nobody in particular
 */
export function asFlowError(error: unknown, code: ErrorCode): HawserError {
  if (!isTunnelError(error)) return HawserError.from(error, code)
  return new HawserError(code, `the connector is gone: ${error.message}`, { cause: error })
}
