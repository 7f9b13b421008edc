/** What the native `connect()` is given: everything but TLS, which its transport cannot do (S-246, S-247). */
export interface NativeOptions {
  readonly allowHalfOpen: boolean
  readonly highWaterMark?: number
}

/** The second argument of `connect()`, checked. */
export interface ConnectOptions {
  readonly secureTransport: 'off' | 'starttls'
  readonly native: NativeOptions
}

function parseSecureTransport(value: unknown): ConnectOptions['secureTransport'] {
  if (value === undefined) return 'off'
  const text = `${value as string}`
  switch (text) {
    case 'off':
    case 'starttls':
      return text
    case 'on':
      throw new TypeError(
        'secureTransport "on" is not available yet: Hawser opens plain TCP connections only. Use "off", or fetch() with an https: URL.',
      )
    default:
      throw new TypeError(`Unsupported value in secureTransport socket option: ${text}`)
  }
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
