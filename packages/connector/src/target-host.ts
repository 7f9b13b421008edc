import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { HawserError } from '@hawser/core'
import ipaddr from 'ipaddr.js'

/** What a target's host stands for. `ip` is as {@link canonicalAddress} spells it, `name` lower case. */
export type TargetHost = { readonly kind: 'ip'; readonly ip: string } | { readonly kind: 'name'; readonly name: string }

/** RFC 1035 section 2.3.4, without the trailing dot. */
const MAX_NAME_LENGTH = 253
const namePattern = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.?$/

/**
 * The one spelling of an address: IPv4 for a mapped IPv6 one, since that is what a socket makes of it, and the zone of an
 * IPv6 one kept as it is (`fe80::1%eth0`). Undefined where `text` is not an address literal.
 */
export function canonicalAddress(text: string): string | undefined {
  if (isIP(text) === 0) return undefined
  const percent = text.indexOf('%')
  if (percent === -1) return ipaddr.process(text).toString()
  const address = ipaddr.process(text.slice(0, percent))
  return address instanceof ipaddr.IPv4 ? address.toString() : `${address.toString()}${text.slice(percent)}`
}

/** The address without its zone, for rules: a zone says which link, not which address. */
export function withoutZone(ip: string): string {
  const percent = ip.indexOf('%')
  return percent === -1 ? ip : ip.slice(0, percent)
}

/**
 * Reads the host of a dial request: an address literal, brackets tolerated, or a name.
 *
 * Spellings that the C library takes for IPv4 (`127.1`, `0x7f.1`, `2130706433`, `0177.0.0.1`) are read here, by the rule
 * of the URL standard ("ends in a number"), so that no resolver ever gets to interpret them.
 *
 * @throws {HawserError} `address_invalid`
 */
export function readTargetHost(text: string): TargetHost {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
  const ip = canonicalAddress(bare)
  if (ip !== undefined) return { kind: 'ip', ip }
  // What lies outside ASCII is left to IDNA; the URL parser behind it would drop or cut at other characters.
  if (/[^a-zA-Z0-9._\u0080-\u{10ffff}-]/u.test(bare)) throw notAHost(text)
  const name = domainToASCII(bare).toLowerCase()
  if (/(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/.test(name)) return { kind: 'ip', ip: readNumericHost(name, text) }
  if (name.length > MAX_NAME_LENGTH || !namePattern.test(name)) throw notAHost(text)
  return { kind: 'name', name }
}

function readNumericHost(name: string, text: string): string {
  const url = URL.parse(`http://${name}/`)
  if (url === null || isIP(url.hostname) !== 4) throw notAHost(text)
  return url.hostname
}

function notAHost(text: string): HawserError {
  return new HawserError('address_invalid', `host: expected a name or an IP address, got ${JSON.stringify(text)}`)
}
