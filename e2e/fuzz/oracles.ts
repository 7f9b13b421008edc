/** Readings of addresses that share no line with the code under test: the URL standard, node:net, and plain text. */
import { BlockList, isIP } from 'node:net'

/** How the URL standard reads a host of `http:`: undefined where it is none. Literals in their one form, without brackets. */
export function urlHost(text: string): { readonly ip: string } | { readonly name: string } | undefined {
  // What would end or split the host is not a question about hosts.
  if (/[/?#@\\\t\n\r]/.test(text) || text.trim() !== text) return undefined
  const authority = isIP(text) === 6 && !text.includes('%') ? `[${text}]` : text
  // A port is none of a host's; only a bracket may hold colons.
  if (/:/.test(authority.replace(/^\[[^\]]*\]/, ''))) return undefined
  const url = URL.parse(`http://${authority}/`)
  if (url === null) return undefined
  const { hostname } = url
  if (hostname.startsWith('[')) return { ip: hostname.slice(1, -1) }
  return isIP(hostname) === 4 ? { ip: hostname } : { name: hostname }
}

/** The IPv4 address in the last 32 bits of a mapped one as the URL standard writes it: `::ffff:7f00:1`. */
export function unmapped(ip: string): string {
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(ip) ?? []
  if (high === undefined || low === undefined) return ip
  const [first, second] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return [first >> 8, first & 255, second >> 8, second & 255].join('.')
}

/** What IANA lists as not globally reachable, or as multicast (its registries for IPv4 and IPv6, RFC 6890). */
const NOT_PUBLIC = {
  ipv4:
    '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 ' +
    '192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4',
  ipv6: '::/8 100::/64 64:ff9b:1::/48 2001::/23 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/10 ff00::/8',
} as const

/** One for each family: a list of both takes IPv4 addresses for the mapped ones of its IPv6 ranges. */
function blockList(family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const range of NOT_PUBLIC[family].split(' ')) {
    const [network = '', bits = ''] = range.split('/')
    list.addSubnet(network, Number(bits), family)
  }
  return list
}

const blocked = { ipv4: blockList('ipv4'), ipv6: blockList('ipv6') }

/** Whether an address literal is one that public egress may never reach. */
export function isBlocked(ip: string): boolean {
  const plain = unmapped(ip)
  const family = isIP(plain) === 4 ? 'ipv4' : 'ipv6'
  return blocked[family].check(plain, family)
}

/** Whether a text has only these characters, and not none. */
export function consistsOf(allowed: string): (text: string) => boolean {
  return (text) => text !== '' && text.split('').every((character) => allowed.includes(character))
}

/** Splits `host:port` from behind, character by character. Undefined where the port is none, or out of range. */
export function splitPort(text: string): { readonly host: string; readonly port: number } | undefined {
  const colon = text.lastIndexOf(':')
  const digits = text.slice(colon + 1)
  if (colon < 1 || digits === '') return undefined
  let port = 0
  for (const digit of digits) {
    if (digit < '0' || digit > '9') return undefined
    port = port * 10 + Number(digit)
  }
  return port > 65_535 ? undefined : { host: text.slice(0, colon), port }
}
