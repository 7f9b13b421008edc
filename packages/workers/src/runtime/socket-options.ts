/** What the native `connect()` is given: everything but TLS, which its transport cannot do (S-246, S-247). */
export interface NativeOptions {
  readonly allowHalfOpen: boolean
  readonly highWaterMark?: number
}

export type SecureTransport = 'off' | 'on' | 'starttls'

/** The second argument of `connect()`, checked. */
export interface ConnectOptions {
  readonly secureTransport: SecureTransport
  readonly native: NativeOptions
}

/** Those of a binding's `connect()`, which knows two more. */
export interface BindingConnectOptions extends ConnectOptions {
  /** Gives the connection up when it aborts, before it has opened and after. */
  readonly signal: AbortSignal | undefined
  /** How long the connection may take to open; for ever unless given. */
  readonly timeoutMs: number | undefined
}

/** The longest that a timer can run. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

/** S-041. */
function parseSecureTransport(value: unknown): SecureTransport {
  if (value === undefined) return 'off'
  const text = `${value as string}`
  if (text === 'off' || text === 'on' || text === 'starttls') return text
  throw new TypeError(`Unsupported value in secureTransport socket option: ${text}`)
}

/**
 * Reads the options of `connect()` as workerd reads them (S-040 to S-045). Values of `highWaterMark` are left to the
 * native function, which converts and refuses them itself.
 *
 * @throws {TypeError} at once, as the native function does
 */
export function parseConnectOptions(options: unknown): ConnectOptions {
  if (options === undefined) return { secureTransport: 'off', native: { allowHalfOpen: false } }
  if (options === null) {
    throw new TypeError('Cannot initialize SocketOptions with required members from an undefined or null value.')
  }
  if (typeof options !== 'object' && typeof options !== 'function') {
    throw new TypeError("Failed to execute 'connect': parameter 2 is not of type 'SocketOptions'.")
  }
  const { secureTransport, allowHalfOpen, highWaterMark } = options as Readonly<Record<string, unknown>>
  const checked = parseSecureTransport(secureTransport)
  return {
    secureTransport: checked,
    native: {
      allowHalfOpen: Boolean(allowHalfOpen),
      ...(highWaterMark === undefined ? {} : { highWaterMark: highWaterMark as number }),
    },
  }
}

function parseSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value
  throw new TypeError(`connect(): "signal" must be an AbortSignal, got ${describe(value)}`)
}

function parseTimeout(value: unknown): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number' && value > 0 && value <= MAX_TIMEOUT_MS) return value
  throw new TypeError(
    `connect(): "timeoutMs" must be a number of milliseconds above 0 and up to ${MAX_TIMEOUT_MS}, got ${describe(value)}`,
  )
}

function describe(value: unknown): string {
  return typeof value === 'number' || value === null ? String(value) : `a value of type ${typeof value}`
}

/**
 * The same and what is Hawser's own. Unlike unknown names, which are ignored as they are natively, these two are checked: a
 * limit that does not work must not go unnoticed.
 *
 * @throws {TypeError} at once
 */
export function parseBindingOptions(options: unknown): BindingConnectOptions {
  const common = parseConnectOptions(options)
  const { signal, timeoutMs } = (options ?? {}) as Readonly<Record<string, unknown>>
  return { ...common, signal: parseSignal(signal), timeoutMs: parseTimeout(timeoutMs) }
}

/**
 * Reads the argument of `startTls()` (S-168, S-169): all keys but one are ignored, for drivers pass their whole configuration.
 *
 * @returns the name to verify in place of the address's host, if one was given
 * @throws {TypeError} at once, as the native function does
 */
export function parseTlsOptions(options: unknown): string | undefined {
  if (options === undefined || options === null) return undefined
  if (typeof options !== 'object' && typeof options !== 'function') {
    throw new TypeError("Failed to execute 'startTls' on 'Socket': parameter 1 is not of type 'TlsOptions'.")
  }
  const { expectedServerHostname: name } = options as Readonly<Record<string, unknown>>
  if (name === undefined) return undefined
  const text = `${name as string}`
  return text === '' ? undefined : text
}
