import { toByteBudget, toText } from './convert.ts'

/** When TLS starts: never, with the connection, or by `startTls()`. */
export type SecureTransport = 'off' | 'on' | 'starttls'

/** Options of `connect()`. Unknown ones are ignored, as in Workers (S-045). */
export interface SocketOptions {
  /** @default 'off' */
  secureTransport?: SecureTransport | undefined
  /** Leave the writable open when the peer has ended. @default false */
  allowHalfOpen?: boolean | undefined
  /** Bytes the writable reports as its budget (`desiredSize`); nothing is limited by it. @default 1, whatever is queued */
  highWaterMark?: number | bigint | undefined
  /**
   * Beyond Workers. Aborting gives the connection up at once, open or not: `opened` (if it is pending) and `closed` reject
   * with the reason, pending reads and writes too, and the peer sees a reset. A socket made by `startTls()` inherits it.
   */
  signal?: AbortSignal | null | undefined
  /**
   * Beyond Workers. Milliseconds that opening may take, TLS handshake included; then as if aborted, with a `TimeoutError`.
   * Counts anew for `startTls()`. From 1 to 2147483647. @default no limit, as in Workers
   */
  timeoutMs?: number | undefined
}

/** Options of `startTls()`. */
export interface TlsOptions {
  /** Name to ask for and to verify, in place of the host of the address (S-169). */
  expectedServerHostname?: string | undefined
}

/** Options read and converted. `secureTransport` is checked later: a wrong address is reported before it (S-020). */
export interface Config {
  readonly secureTransport: string
  readonly allowHalfOpen: boolean
  readonly highWaterMark: number | undefined
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number | undefined
}

const DEFAULTS: Config = {
  secureTransport: 'off',
  allowHalfOpen: false,
  highWaterMark: undefined,
  signal: undefined,
  timeoutMs: undefined,
}

/** What a timer of Node takes. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

/**
 * Reads the second argument of `connect()`, in the order workerd does.
 * @throws {TypeError} S-040, S-043, and whatever a getter of the caller throws
 */
export function readOptions(options: unknown): Config {
  if (options === undefined) return DEFAULTS
  if (options === null) {
    throw new TypeError('Cannot initialize SocketOptions with required members from an undefined or null value.')
  }
  if (!isObject(options)) {
    throw new TypeError("Failed to execute 'connect' on 'SocketsModule': parameter 2 is not of type 'SocketOptions'.")
  }
  const { secureTransport } = options
  return {
    secureTransport: secureTransport === undefined ? 'off' : toText(secureTransport),
    allowHalfOpen: Boolean(options['allowHalfOpen']),
    highWaterMark: readBudget(options['highWaterMark']),
    signal: readSignal(options['signal']),
    timeoutMs: readTimeout(options['timeoutMs']),
  }
}

/** @throws {TypeError} S-041 */
export function checkSecureTransport(value: string): SecureTransport {
  if (value === 'off' || value === 'on' || value === 'starttls') return value
  throw new TypeError(`Unsupported value in secureTransport socket option: ${value}`)
}

/**
 * Reads the argument of `startTls()`. Other keys are ignored: drivers pass whole configurations (S-168).
 * @returns the expected name, if there is one; an empty one counts as none (S-169)
 * @throws {TypeError} for a primitive
 */
export function readTlsOptions(options: unknown): string | undefined {
  if (options === undefined || options === null) return undefined
  if (!isObject(options)) {
    throw new TypeError("Failed to execute 'startTls' on 'Socket': parameter 1 is not of type 'TlsOptions'.")
  }
  const { expectedServerHostname } = options
  if (expectedServerHostname === undefined) return undefined
  return toText(expectedServerHostname) || undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

function readBudget(value: unknown): number | undefined {
  return value === undefined ? undefined : toByteBudget(value)
}

function readSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined || value === null) return undefined
  if (value instanceof AbortSignal) return value
  throw new TypeError(`signal: expected an AbortSignal, got ${typeof value}`)
}

function readTimeout(value: unknown): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number' && value >= 1 && value <= LONGEST_TIMEOUT_MS) return value
  const given = typeof value === 'number' ? value : typeof value
  throw new TypeError(`timeoutMs: expected a number from 1 to ${LONGEST_TIMEOUT_MS}, got ${given}`)
}
