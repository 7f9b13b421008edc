import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

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
 * The IPv6 text is split here and not by ipaddr.js, which reads the deprecated `::a.b.c.d` as the mapped `::ffff:a.b.c.d`:
 * policy would then judge another address than the one the operating system dials.
 */
export function parseIp(text: string): IpAddress | undefined {
  if (isIPv4(text)) return { family: 4, words: [dottedToWord(text)] }
  if (!isIPv6(text) || text.includes('%')) return undefined
  return { family: 6, words: wordsOfIpv6(text) }
}

/**
 * Reads an IPv4 literal as inet_aton(3) does: one to four parts, each decimal, octal (`0…`) or hexadecimal (`0x…`), the
 * last one filling the bytes that are left (S-025). Undefined for what inet_aton refuses: a part that overflows, an 8 or 9
 * after a leading zero, `0x` without digits.
 */
export function parseLegacyIpv4(text: string): IpAddress | undefined {
  if (!ipaddr.IPv4.isValid(text)) return undefined
  return { family: 4, words: [dottedToWord(ipaddr.IPv4.parse(text).toString())] }
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

/** @param text known to be four decimal octets */
function dottedToWord(text: string): number {
  return text.split('.').reduce((word, octet) => ((word << 8) | Number(octet)) >>> 0, 0)
}

/** @param text known to be a valid IPv6 literal without zone id */
function wordsOfIpv6(text: string): number[] {
  const [head = '', tail] = text.split('::')
  const before = groupsOf(head)
  const after = tail === undefined ? [] : groupsOf(tail)
  const groups = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
  return [0, 2, 4, 6].map((at) => (((groups[at] ?? 0) << 16) | (groups[at + 1] ?? 0)) >>> 0)
}

/** The 16-bit groups of one side of a `::`; a dotted ending counts as two. */
function groupsOf(side: string): number[] {
  if (side === '') return []
  return side.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const word = dottedToWord(group)
    return [word >>> 16, word & 0xffff]
  })
}
