import { embeddedIpv4 } from './embedded.ts'
import { formatIp, parseIp } from './ip-address.ts'
import type { IpAddress } from './ip-address.ts'
import { specialRange } from './special-ranges.ts'
import type { BlockedReason } from './special-ranges.ts'

/** What an address is; `canonical` is the only spelling of it that may be dialled or compared. */
export type AddressClass =
  | { readonly public: true; readonly canonical: string }
  | { readonly public: false; readonly reason: BlockedReason; readonly canonical: string }

/**
 * Whether an address is one of the public Internet.
 *
 * Takes strict literals, the only ones a resolver gives: for what people write there is `parseHost`. A legacy spelling, a
 * zone id or any other text is `invalid`, its `canonical` the text itself. IPv6 that carries an IPv4 address is judged by
 * that address: mapped forms become it, all other forms are refused even where it is public, because what they reach
 * depends on gateways that cannot be seen from here.
 */
export function classifyAddress(ip: string): AddressClass {
  const address = parseIp(ip)
  if (address === undefined) return { public: false, reason: 'invalid', canonical: ip }
  const embedded = embeddedIpv4(address)
  if (embedded === undefined) return verdictOn(address, specialRange(address))
  const inner = specialRange(embedded.address)
  if (embedded.form === 'mapped') return verdictOn(embedded.address, inner)
  return verdictOn(address, inner ?? 'translated')
}

function verdictOn(address: IpAddress, reason: BlockedReason | undefined): AddressClass {
  const canonical = formatIp(address)
  return reason === undefined ? { public: true, canonical } : { public: false, reason, canonical }
}
