/** Where a socket is asked to lead. */
export interface Destination {
  /** `host:port` as the caller wrote it: what `opened` reports as the remote address (S-021, S-051). */
  readonly text: string
  /** As the caller wrote it; IPv6 literals keep their brackets. */
  readonly host: string
  readonly port: number
}

const ADDRESS_CHARACTERS = /^[A-Za-z0-9._:[\]-]{1,255}$/
const MAX_PORT = 65_535

/** Whether `text` has only what the native function lets through, and not too much of it. */
export function hasAddressCharacters(text: string): boolean {
  return ADDRESS_CHARACTERS.test(text)
}

/** S-020, last check; the only one that both forms of an address go through (S-022). */
function checkCharacters(text: string): void {
  if (!hasAddressCharacters(text)) {
    throw new TypeError('Specified address is empty string, contains unsupported characters or is too long.')
  }
}

function parseText(text: string): Destination {
  const url = URL.parse(`fake://${text}`)
  if (url === null) throw new TypeError('Specified address could not be parsed.')
  if (url.hostname === '') throw new TypeError('Specified address is missing hostname.')
  if (url.port === '') throw new TypeError('Specified address is missing port.')
  checkCharacters(text)
  // What passed all four is `host:digits`; the host is cut from the caller's text because the URL has normalised it.
  return { text, host: text.slice(0, text.lastIndexOf(':')), port: Number(url.port) }
}

/** Integer conversion of an object's `port` (S-027). A BigInt throws in the unary plus, as it does natively. */
function toPort(value: unknown): number {
  const number = +(value as number)
  if (!Number.isFinite(number)) {
    throw new TypeError('The value cannot be converted because it is not an integer.')
  }
  const port = Math.trunc(number)
  if (port < 0) {
    throw new TypeError('The value cannot be converted because it is negative and this API expects a positive number.')
  }
  if (port > MAX_PORT) throw new TypeError(`Value out of range. Must be less than or equal to ${MAX_PORT}.`)
  return port
}

function parseObject(address: object): Destination {
  const fields = address as { readonly hostname?: unknown; readonly port?: unknown }
  const host = `${fields.hostname as string}`
  const port = toPort(fields.port)
  const text = `${host}:${port}`
  checkCharacters(text)
  return { text, host, port }
}

/**
 * Reads the first argument of `connect()`, a string or an object with `hostname` and `port`, as workerd reads it
 * (S-020 to S-029, V-112): what it accepts is passed on unchanged, what it refuses is refused with its words.
 *
 * @throws {TypeError} at once, as the native function does
 */
export function parseAddress(address: unknown): Destination {
  if (address === undefined || address === null) {
    throw new TypeError('Cannot initialize SocketAddress with required members from an undefined or null value.')
  }
  if (typeof address === 'object' || typeof address === 'function') return parseObject(address)
  // The template throws for a symbol, as the native conversion does.
  return parseText(`${address as string}`)
}
