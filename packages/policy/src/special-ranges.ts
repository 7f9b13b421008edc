import { parseCidr } from './cidrs.ts'
import type { IpAddress } from './ip-address.ts'
import { PrefixTableBuilder } from './prefix-table.ts'
import type { PrefixTable } from './prefix-table.ts'

/**
 * Why an address is not a public one. `translated`: IPv6 that some gateway turns into IPv4, so that what it reaches cannot
 * be judged. `invalid`: not an address at all.
 */
export type BlockedReason =
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'link_local'
  | 'carrier_nat'
  | 'metadata'
  | 'multicast'
  | 'broadcast'
  | 'reserved'
  | 'documentation'
  | 'benchmark'
  | 'translated'
  | 'invalid'

/**
 * Blocks of the IANA special-purpose registries for IPv4 and IPv6, less what the registries call globally reachable (AS112,
 * AMT), plus the addresses at which clouds serve machine credentials. The longest block decides.
 *
 * IPv6 is closed unless open: only `2000::/3` is assigned for global unicast, so all else is reserved, today's unassigned
 * blocks included. The exceptions inside `2001::/23` and `192.0.0.0/24` are anycast services of the access network and stay
 * closed with the rest.
 */
const BLOCKS: readonly (readonly [reason: BlockedReason | 'public', ...blocks: readonly string[]])[] = [
  ['public', '0.0.0.0/0', '2000::/3'],
  ['reserved', '::/0', '192.0.0.0/24', '240.0.0.0/4', '2001::/23'],
  ['unspecified', '0.0.0.0/8', '::/128'],
  ['loopback', '127.0.0.0/8', '::1/128'],
  ['private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fec0::/10'],
  ['link_local', '169.254.0.0/16', 'fe80::/10'],
  ['carrier_nat', '100.64.0.0/10'],
  ['multicast', '224.0.0.0/4', 'ff00::/8'],
  ['broadcast', '255.255.255.255/32'],
  ['documentation', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32', '3fff::/20'],
  ['benchmark', '198.18.0.0/15', '2001:2::/48'],
  // The IPv4 end of 6to4 (deprecated by RFC 7526), and every IPv6 form of embedded.ts that has a prefix of its own.
  ['translated', '192.88.99.0/24', '64:ff9b::/96', '64:ff9b:1::/48', '2001::/32', '2002::/16', '::ffff:0:0:0/96'],
  // Amazon's instance, task and pod credentials; Google's; Alibaba's; Oracle's older one; Azure's wire server, which is a
  // public address by its number only.
  ['metadata', '169.254.169.254/32', '169.254.170.2/32', '169.254.170.23/32', 'fd00:ec2::254/128', 'fd00:ec2::23/128'],
  ['metadata', 'fd20:ce::254/128', '100.100.100.200/32', '192.0.0.192/32', '168.63.129.16/32'],
]

const table = compile()

/** The reason for which an address is closed by its own number, or undefined for a public one. */
export function specialRange(address: IpAddress): BlockedReason | undefined {
  const found = table.find(address)
  return found === 'public' ? undefined : (found ?? 'reserved')
}

function compile(): PrefixTable<BlockedReason | 'public'> {
  const builder = new PrefixTableBuilder<BlockedReason | 'public'>()
  for (const [reason, ...blocks] of BLOCKS) {
    for (const block of blocks) builder.set(parseCidr(block, 'special ranges'), reason)
  }
  return builder.build()
}
