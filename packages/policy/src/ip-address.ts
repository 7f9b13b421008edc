import ipaddr from 'ipaddr.js'
import { readDotted, readIpv6 } from './parse-ip.ts'

/** An address as numbers: unsigned 32-bit words, most significant first; one word for IPv4, four for IPv6. */
export interface IpAddress {
  readonly family: 4 | 6
  readonly words: readonly number[]
}

/** Bits in an address of a family. */
export const ADDRESS_BITS = { 4: 32, 6: 128 } as const

/**
 * Reads an address literal in its strict form: dotted decimal without leading zeros, or RFC 4291 section 2.2 text without
 * zone id and brackets. Undefined for anything else.
 *
 * The IPv6 text is read here and not by ipaddr.js, which reads the deprecated `::a.b.c.d` as the mapped `::ffff:a.b.c.d`:
 * policy would then judge another address than the one the operating system dials.
 */
export function parseIp(text: string): IpAddress | undefined {
  const word = readDotted(text, 0)
  if (word >= 0) return { family: 4, words: [word] }
  const words = readIpv6(text)
  return words === undefined ? undefined : { family: 6, words }
}

/**
 * Reads an IPv4 literal as inet_aton(3) does: one to four parts, each decimal, octal (`0…`) or hexadecimal (`0x…`), the
 * last one filling the bytes that are left (S-025). Undefined for what inet_aton refuses: a part that overflows, an 8 or 9
 * after a leading zero, `0x` without digits.
 */
export function parseLegacyIpv4(text: string): IpAddress | undefined {
  if (!ipaddr.IPv4.isValid(text)) return undefined
  return { family: 4, words: [readDotted(ipaddr.IPv4.parse(text).toString(), 0)] }
}

/** The one spelling that is dialled, logged and compared: dotted decimal, or RFC 5952 text. */
export function formatIp({ family, words }: IpAddress): string {
  if (family === 4) return octetsOf(words[0] ?? 0).join('.')
  return ipaddr.fromByteArray(words.flatMap(octetsOf)).toString()
}

/** The IPv4 address whose 32 bits are `word`. */
export function ipv4(word: number): IpAddress {
  return { family: 4, words: [word >>> 0] }
}

function octetsOf(word: number): number[] {
  return [word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff]
}
