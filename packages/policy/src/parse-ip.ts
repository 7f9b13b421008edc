const COLON = 0x3a
const DOT = 0x2e
const GROUPS = 8
const MAX_DIGITS = 4

/** The value of each hexadecimal digit by its character code, -1 for all other characters of ASCII. */
const DIGITS: Int8Array = Int8Array.from({ length: 128 }, (_, code) => {
  const value = Number.parseInt(String.fromCharCode(code), 16)
  return Number.isNaN(value) ? -1 : value
})

/** Of the text that is being read: nothing else runs meanwhile, and an array for each look-up would have to be swept. */
const groups = new Uint16Array(GROUPS)

/**
 * The 32 bits of four decimal octets without leading zeros, from `from` to the end of the text; -1 for anything else. By
 * character and not by pattern: routes are looked up for every connection.
 */
export function readDotted(text: string, from: number): number {
  let word = 0
  let octet = 0
  let digits = 0
  let dots = 0
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === DOT) {
      if (digits === 0 || dots === 3) return -1
      word = word * 256 + octet
      octet = 0
      digits = 0
      dots += 1
      continue
    }
    const digit = code - 0x30
    if (digit < 0 || digit > 9 || (digits > 0 && octet === 0)) return -1
    octet = octet * 10 + digit
    digits += 1
    if (octet > 255) return -1
  }
  return dots === 3 && digits > 0 ? word * 256 + octet : -1
}

/** The four words of IPv6 text as in RFC 4291 section 2.2, without zone id and brackets; undefined for anything else. */
export function readIpv6(text: string): number[] | undefined {
  let count = 0
  let gap = -1
  let value = 0
  let digits = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    const digit = code < 128 ? (DIGITS[code] ?? -1) : -1
    if (digit >= 0) {
      value = value * 16 + digit
      digits += 1
      if (digits > MAX_DIGITS) return undefined
    } else if (code === DOT) {
      return withDotted(readDotted(text, at - digits), count, gap)
    } else if (code !== COLON || count === GROUPS) {
      return undefined
    } else if (digits > 0) {
      groups[count] = value
      count += 1
      value = 0
      digits = 0
    } else if (at > 0) {
      if (gap >= 0 || text.charCodeAt(at - 1) !== COLON) return undefined
      gap = count
    } else if (text.charCodeAt(1) !== COLON) {
      return undefined
    }
  }
  if (digits === 0) return gap === count ? toWords(count, gap) : undefined // nothing but `::` may end the text
  if (count === GROUPS) return undefined
  groups[count] = value
  return toWords(count + 1, gap)
}

/** An address that ends like one of IPv4, which stands for two groups. */
function withDotted(word: number, count: number, gap: number): number[] | undefined {
  if (word < 0 || count > GROUPS - 2) return undefined
  groups[count] = word >>> 16
  groups[count + 1] = word
  return toWords(count + 2, gap)
}

/** @param gap the group before which `::` stands for one group of zeros or more; -1 for none */
function toWords(count: number, gap: number): number[] | undefined {
  if (gap < 0 ? count !== GROUPS : count === GROUPS) return undefined
  if (gap >= 0) {
    groups.copyWithin(GROUPS - count + gap, gap, count)
    groups.fill(0, gap, GROUPS - count + gap)
  }
  return [wordAt(0), wordAt(2), wordAt(4), wordAt(6)]
}

function wordAt(group: number): number {
  return (groups[group] ?? 0) * 0x1_0000 + (groups[group + 1] ?? 0)
}
