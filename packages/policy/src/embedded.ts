import { ipv4 } from './ip-address.ts'
import type { IpAddress } from './ip-address.ts'

/** How an IPv6 address carries an IPv4 one. */
export type Embedding = 'mapped' | 'compatible' | 'siit' | 'nat64' | '6to4' | 'teredo' | 'isatap'

/** An IPv4 address found inside an IPv6 one. */
export interface EmbeddedIpv4 {
  readonly form: Embedding
  readonly address: IpAddress
}

/**
 * The IPv4 address that `address` stands for or is translated to on its way, or undefined. NAT64 under `64:ff9b:1::/48` is
 * not read: RFC 8215 leaves the place of the IPv4 bits to the operator, so there is nothing to judge by.
 */
export function embeddedIpv4({ family, words }: IpAddress): EmbeddedIpv4 | undefined {
  if (family === 4) return undefined
  const [first = 0, second = 0, third = 0, last = 0] = words
  const found = (form: Embedding, word: number): EmbeddedIpv4 => ({ form, address: ipv4(word) })
  if (first === 0 && second === 0) {
    if (third === 0xffff) return found('mapped', last) // RFC 4291 section 2.5.5.2
    if (third === 0xffff_0000) return found('siit', last) // RFC 2765, `::ffff:0:a.b.c.d`
    if (third === 0 && last > 1) return found('compatible', last) // RFC 4291 section 2.5.5.1; `::` and `::1` are not
  }
  if (first === 0x0064_ff9b && second === 0 && third === 0) return found('nat64', last) // RFC 6052
  if (first >>> 16 === 0x2002) return found('6to4', (first << 16) | (second >>> 16)) // RFC 3056
  if (first === 0x2001_0000) return found('teredo', ~last) // RFC 4380 section 4: every bit inverted
  if ((third & 0xfdff_ffff) === 0x0000_5efe) return found('isatap', last) // RFC 5214 section 6.1, under any prefix
  return undefined
}

/** The same address with IPv4-mapped IPv6 read as IPv4, which is what the operating system does when it dials one. */
export function canonicalAddress(address: IpAddress): IpAddress {
  const embedded = embeddedIpv4(address)
  return embedded?.form === 'mapped' ? embedded.address : address
}
