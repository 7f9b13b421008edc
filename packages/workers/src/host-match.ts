import { isIP, isIPv6 } from 'node:net'

/** What a pattern of `hawser.jsonc` stands for, as `TlsRule` has it. */
export interface HostMatch {
  /** A name, an address, or `*.` and a name; lower case, no brackets. */
  readonly host: string
  readonly port?: number
}

const MAX_PORT = 65_535
const MAX_NAME_LENGTH = 253
/** Underscores occur in private names (S-020). */
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/

/** What makes `text` no pattern, as the end of a sentence that begins with "must be". */
export class NoMatch extends Error {}

function canonicalIpv6(text: string): string {
  // The URL parser writes addresses in the one form of RFC 5952.
  const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1)
  if (canonical.startsWith('::ffff:')) throw new NoMatch('an IPv4 address in its own form, without "::ffff:"')
  return canonical
}

/** @throws {NoMatch} */
export function parseName(text: string): string {
  const name = text.toLowerCase().replace(/\.$/, '')
  const labels = name.split('.')
  if (
    labels.every((label) => LABEL.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '') &&
    name.length <= MAX_NAME_LENGTH
  ) {
    return name
  }
  throw new NoMatch('a host name, an IP address, or "*." and a name')
}

function parseHost(text: string): string {
  const family = isIP(text)
  if (family === 4) return text
  if (family === 6) return canonicalIpv6(text)
  return text.startsWith('*.') ? `*.${parseName(text.slice(2))}` : parseName(text)
}

function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= MAX_PORT) return port
  throw new NoMatch(`followed by a port from 1 to ${MAX_PORT}, or by none`)
}

/**
 * Reads `host`, `host:port`, `*.domain`, `*.domain:port`, `[::1]:port` or `::1`.
 *
 * @throws {NoMatch}
 */
export function parseHostMatch(text: string): HostMatch {
  if (isIPv6(text)) return { host: canonicalIpv6(text) }
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s.exec(text) ?? []
  if (bracketed !== undefined && !isIPv6(bracketed)) throw new NoMatch('an IPv6 address where there are brackets')
  const host = parseHost(bracketed ?? plain ?? text)
  return port === undefined ? { host } : { host, port: parsePort(port) }
}
