import { formatIp, networkOf, parseCidr } from '@hawser/policy'
import type { Cidr, IpAddress } from '@hawser/policy'

/** A block of addresses in the forms in which the database keeps it. */
export interface AddressRange {
  /** `10.0.0.0/8`: the one spelling of a block. */
  readonly network: string
  /** First and last address: the family and hexadecimal digits, which sort as the addresses do. */
  readonly first_address: string
  readonly last_address: string
}

const ALL = 0xffff_ffff

/**
 * @param field what the text is called where the user wrote it
 * @throws {HawserError} `options_invalid` for what is no block, bits set past its prefix included
 */
export function readRange(text: string, field: string): AddressRange {
  const { address, prefix } = parseCidr(text, field)
  return {
    network: textOf({ address, prefix }),
    first_address: sortable(address),
    last_address: sortable(lastOf(address, prefix)),
  }
}

/** Every block that holds the whole of this one, itself first: as many as its prefix has bits, and one. */
export function blocksAround({ address, prefix }: Cidr): string[] {
  return Array.from({ length: prefix + 1 }, (_, shorter) => {
    return textOf({ address: networkOf(address, prefix - shorter), prefix: prefix - shorter })
  })
}

function textOf({ address, prefix }: Cidr): string {
  return `${formatIp(address)}/${prefix}`
}

function lastOf({ family, words }: IpAddress, prefix: number): IpAddress {
  const last = words.map((word, at) => {
    const bits = Math.min(32, Math.max(0, prefix - 32 * at))
    return bits === 32 ? word : (word | (ALL >>> bits)) >>> 0
  })
  return { family, words: last }
}

function sortable({ family, words }: IpAddress): string {
  return `${family}${words.map((word) => word.toString(16).padStart(8, '0')).join('')}`
}
