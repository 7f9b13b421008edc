import { HawserError } from '@hawser/core'
import { canonicalAddress } from './embedded.ts'
import { formatIp, parseIp, parseLegacyIpv4 } from './ip-address.ts'

/** A host as written, understood once: policy, log and dial all use this reading. */
export type ParsedHost =
  /** `ip` in canonical form: dotted decimal or RFC 5952, IPv4-mapped IPv6 as IPv4. */
  | { readonly kind: 'ip'; readonly ip: string }
  /** `name` in lower case without the trailing dot. */
  | { readonly kind: 'name'; readonly name: string }

/** RFC 1035 section 2.3.4. */
const MAX_NAME_LENGTH = 253
const MAX_LABEL_LENGTH = 63
/** What S-020 lets through. It leaves out `%` (zone ids, escapes), blanks, control characters and all of Unicode. */
const PERMITTED = /^[A-Za-z0-9._:[\]-]+$/

/**
 * Reads what a caller wrote as host: an IPv4 literal in any spelling of inet_aton (S-025), an IPv6 literal with or without
 * brackets, or a DNS name. What two readers could take for two different things is refused, never guessed:
 *
 * - a character outside S-020, so zone ids, percent escapes, full-width digits and names that are not in ASCII form;
 * - text whose last label is a number but which is no IPv4 literal (`1.2.3.4.5`, `127.0.0.08`, `4294967296`): some
 *   resolvers answer those, and URL parsers call them addresses;
 * - a trailing dot after an IPv4 literal, which is a name to resolvers and an address to URL parsers.
 *
 * @throws {HawserError} `address_invalid` with the rule that was broken
 */
export function parseHost(text: string): ParsedHost {
  if (text === '') throw invalid(text, 'it is empty')
  if (!PERMITTED.test(text)) throw invalid(text, 'only letters, digits and . - _ : [ ] may occur')
  if (/[:[\]]/.test(text)) return { kind: 'ip', ip: ipv6Literal(text) }
  const bare = text.endsWith('.') ? text.slice(0, -1) : text
  const labels = bare.split('.')
  if (isNumber(labels.at(-1) ?? '')) return { kind: 'ip', ip: ipv4Literal(text) }
  if (bare.length > MAX_NAME_LENGTH) throw invalid(text, `a name has at most ${MAX_NAME_LENGTH} characters`)
  if (labels.includes('')) throw invalid(text, 'it has an empty label')
  if (labels.some((label) => label.length > MAX_LABEL_LENGTH)) {
    throw invalid(text, `a label has at most ${MAX_LABEL_LENGTH} characters`)
  }
  return { kind: 'name', name: bare.toLowerCase() }
}

/** Decimal, octal or hexadecimal, whether or not it is in range: the WHATWG URL standard's "ends in a number". */
function isNumber(label: string): boolean {
  return /^(\d+|0[xX][0-9a-fA-F]*)$/.test(label)
}

function ipv4Literal(text: string): string {
  const address = parseLegacyIpv4(text)
  if (address === undefined) throw invalid(text, 'it ends in a number but is not an IPv4 address')
  return formatIp(address)
}

function ipv6Literal(text: string): string {
  const bracketed = /^\[(.*)\]$/.exec(text)
  const literal = bracketed?.[1] ?? text
  const address = literal.includes(':') ? parseIp(literal) : undefined
  if (address === undefined) throw invalid(text, 'it is not an IPv6 address')
  return formatIp(canonicalAddress(address))
}

/** Quotes at most this much of what was given. */
const MAX_QUOTED = 80

function invalid(text: string, rule: string): HawserError {
  const shown = text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text
  return new HawserError('address_invalid', `host ${JSON.stringify(shown)}: ${rule}`)
}
