import { HawserError } from './errors.ts'

/** A host and a port. `host` is a name, an IPv4 literal, or an IPv6 literal without brackets. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

const MAX_PORT = 65_535
/** RFC 1035 section 2.3.4, without the trailing dot. */
const MAX_HOST_LENGTH = 253

/**
 * Reads `host:port`, `[v6]:port` or, where `defaultPort` is given, a bare host.
 *
 * @param field what the text is called where the user wrote it, for the message: `--edge`
 * @throws {HawserError} `address_invalid`
 */
export function parseHostPort(text: string, field: string, defaultPort?: number): HostPort {
  const bracketed = /^\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\](?::(\d{1,5}))?$/.exec(text)
  const plain = bracketed ?? /^([^:[\]/\s]+)(?::(\d{1,5}))?$/.exec(text)
  const host = plain?.[1]
  const port = plain?.[2] === undefined ? defaultPort : Number(plain[2])
  if (host === undefined || port === undefined || port > MAX_PORT || host.length > MAX_HOST_LENGTH) {
    const wanted = defaultPort === undefined ? 'host:port' : 'host or host:port'
    throw new HawserError(
      'address_invalid',
      `${field}: expected ${wanted} with a port of 0 to 65535, got ${JSON.stringify(text)}`,
    )
  }
  return { host, port }
}

/** `host:port`, with brackets round an IPv6 literal. */
export function formatHostPort(address: HostPort): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}
