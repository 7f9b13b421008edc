import { HawserError } from '@hawser/core'
import { canonicalAddress } from './embedded.ts'
import { ADDRESS_BITS, formatIp, parseIp } from './ip-address.ts'
import type { IpAddress } from './ip-address.ts'
import { PrefixTableBuilder } from './prefix-table.ts'
import type { Cidr } from './prefix-table.ts'

/** Blocks of the IPv4-mapped form carry their IPv4 length in the bits after these. */
const MAPPED_PREFIX = 96

/**
 * Reads `10.0.0.0/8`, `fd00::/8` or a single address. A block inside `::ffff:0:0/96` is the IPv4 block it stands for, as its
 * addresses are.
 *
 * @param field what the text is called where the user wrote it, for the message: `--allow`
 * @throws {HawserError} `options_invalid` for any other text, legacy IPv4 spellings and bits set past the prefix included
 */
export function parseCidr(text: string, field: string): Cidr {
  const [literal = '', length, ...rest] = text.split('/')
  const address = parseIp(literal)
  if (address === undefined || rest.length > 0) throw badEntry(text, field)
  const bits = ADDRESS_BITS[address.family]
  const prefix = length === undefined ? bits : prefixLength(length, bits)
  if (prefix === undefined) throw badEntry(text, field)
  const network = networkOf(address, prefix)
  if (formatIp(network) !== formatIp(address)) {
    // Both readings of this slip are dangerous in somebody's list: ask.
    throw badEntry(text, field, `; did you mean ${formatIp(network)}/${prefix} or ${literal}?`)
  }
  const canonical = canonicalAddress(address)
  if (canonical.family === address.family) return { address, prefix }
  return { address: canonical, prefix: prefix - MAPPED_PREFIX } // at least 0: `::ffff:0:0` itself has a bit set at 96
}

/**
 * Compiles a list of blocks into one test. The test takes a strict literal (any resolver's answer is one), reads mapped
 * IPv6 as IPv4, and costs the same however long the list is.
 *
 * @param field what the list is called where the user wrote it, for the message: `--allow`
 * @throws {HawserError} `options_invalid` naming the bad entry; the test itself throws `address_invalid` for text that is no
 * address, since either answer would be wrong for an allow list or for a deny list
 */
export function compileCidrs(list: readonly string[], field: string): (ip: string) => boolean {
  const builder = new PrefixTableBuilder<true>()
  for (const entry of list) builder.set(parseCidr(entry, field), true)
  const table = builder.build()
  return (ip) => {
    const address = parseIp(ip)
    if (address === undefined) throw new HawserError('address_invalid', `${JSON.stringify(ip)} is not an IP address`)
    return table.find(canonicalAddress(address)) === true
  }
}

function prefixLength(text: string, bits: number): number | undefined {
  if (!/^(0|[1-9]\d{0,2})$/.test(text)) return undefined
  const length = Number(text)
  return length > bits ? undefined : length
}

function badEntry(entry: string, field: string, hint = ''): HawserError {
  const wanted = 'an address block such as 10.0.0.0/8, fd00::/8 or 10.1.2.3'
  return new HawserError('options_invalid', `${field}: expected ${wanted}, got ${JSON.stringify(entry)}${hint}`)
}

/** The first address of the block of that length which holds `address`. */
export function networkOf({ family, words }: IpAddress, prefix: number): IpAddress {
  const keep = (at: number): number => Math.min(32, Math.max(0, prefix - 32 * at))
  // A shift by 32 is a shift by 0 in JavaScript, so a word of which nothing is kept is written out.
  return { family, words: words.map((word, at) => (keep(at) === 0 ? 0 : (word & (-1 << (32 - keep(at)))) >>> 0)) }
}
