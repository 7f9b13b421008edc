import { isIP } from 'node:net'
import { HawserError } from '@hawser/core'
import ipaddr from 'ipaddr.js'
import { remember } from './remember.ts'
import { withoutZone } from './target-host.ts'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** A range of addresses, and how its owner wrote it. */
interface Cidr {
  readonly text: string
  readonly base: Address
  readonly bits: number
}

/** Which addresses a connector may dial. Entries are CIDRs or single addresses. */
export interface AddressRulesOptions {
  /** If any are given, everything else is refused. */
  readonly allow: readonly string[]
  /** Refused whatever `allow` says. */
  readonly deny: readonly string[]
}

/** Why an address may not be dialled, as a phrase for a message; undefined where it may. */
export type AddressRules = (ip: string) => string | undefined

const MAPPED_BITS = 96

/**
 * Reads one CIDR. A range of mapped IPv6 addresses is read as the IPv4 range it stands for.
 *
 * @param field what the entry is called where it was written: `allow[0]`, `--deny`
 * @throws {HawserError} `options_invalid`
 */
export function parseCidr(text: string, field: string): Cidr {
  const match = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(text)
  const literal = match?.[1] ?? ''
  const family = isIP(literal)
  const full = family === 4 ? 32 : 128
  const bits = match?.[2] === undefined ? full : Number(match[2])
  if (family === 0 || bits > full) {
    const allowed = 'a CIDR such as 10.0.0.0/8 or fd00::/8, or a single address'
    throw new HawserError('options_invalid', `${field}: expected ${allowed}, got ${JSON.stringify(text)}`)
  }
  const base = ipaddr.parse(literal)
  const network = networkOf(base, bits)
  if (base.toNormalizedString() !== network.toNormalizedString()) {
    // Likelier a slip than a wish, and a list that guards a network should say what it means.
    const meant = `${network.toString()}/${bits}`
    throw new HawserError(
      'options_invalid',
      `${field}: ${JSON.stringify(text)} has bits after its prefix, use ${meant}`,
    )
  }
  if (base instanceof ipaddr.IPv6 && base.isIPv4MappedAddress() && bits >= MAPPED_BITS) {
    return { text, base: base.toIPv4Address(), bits: bits - MAPPED_BITS }
  }
  return { text, base, bits }
}

function networkOf(base: Address, bits: number): Address {
  const bytes = base.toByteArray()
  const masked = bytes.map((byte, at) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - at * 8))))
  return ipaddr.fromByteArray(masked)
}

function contains(cidr: Cidr, address: Address): boolean {
  if (cidr.base instanceof ipaddr.IPv4) return address instanceof ipaddr.IPv4 && address.match(cidr.base, cidr.bits)
  return address instanceof ipaddr.IPv6 && address.match(cidr.base, cidr.bits)
}

const nat64 = parseCidr('64:ff9b::/96', 'NAT64')
const sixToFour = parseCidr('2002::/16', '6to4')
const compatible = parseCidr('::/96', 'IPv4-compatible')

/** The IPv4 address that a translator or a relay would make of an IPv6 one. */
function embedded(address: Address): ipaddr.IPv4 | undefined {
  if (!(address instanceof ipaddr.IPv6)) return undefined
  const bytes = address.toByteArray()
  if (contains(nat64, address) || contains(compatible, address)) return new ipaddr.IPv4(bytes.slice(12))
  if (contains(sixToFour, address)) return new ipaddr.IPv4(bytes.slice(2, 6))
  return undefined
}

/**
 * Compiles the two lists. The result takes canonical addresses (`canonicalAddress`), the very ones that are then dialled.
 * The deny list also sees the IPv4 address inside a NAT64, 6to4 or IPv4-compatible one; the allow list does not, so that
 * such an address is reached only where it is allowed itself. A list is dozens of entries at most: a scan is enough.
 *
 * The unspecified addresses (0.0.0.0/8 and ::) are always refused: the kernel takes `0.0.0.0` and `::` for loopback, which
 * no list would show.
 *
 * @throws {HawserError} `options_invalid`, naming the entry
 */
export function compileAddressRules(options: AddressRulesOptions): AddressRules {
  const allow = options.allow.map((text, at) => parseCidr(text, `allow[${at}]`))
  const deny = options.deny.map((text, at) => parseCidr(text, `deny[${at}]`))
  return remember((ip) => {
    const address = ipaddr.parse(withoutZone(ip))
    if (address.range() === 'unspecified') return 'is an unspecified address'
    const inner = embedded(address)
    const hit = deny.find((cidr) => contains(cidr, address) || (inner !== undefined && contains(cidr, inner)))
    if (hit !== undefined) return `is denied by ${hit.text} on this connector`
    if (allow.length > 0 && !allow.some((cidr) => contains(cidr, address))) return 'is not allowed on this connector'
    return undefined
  })
}
