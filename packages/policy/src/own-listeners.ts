import { networkInterfaces } from 'node:os'
import type { HostPort } from '@hawser/core'
import { HawserError } from '@hawser/core'
import { classifyAddress } from './classify.ts'
import { parseHost } from './host.ts'
import type { BlockedReason } from './special-ranges.ts'

/** Every address of this machine, as the operating system lists them; loopback included. */
export function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((entries) => (entries ?? []).map((entry) => entry.address))
}

/**
 * True where dialling `ip:port` would come back to one of `listeners`.
 *
 * A wildcard listener answers on every address of the machine, in both families: `::` takes IPv4 too unless told
 * otherwise, and a second listener for the other family is one option away. Dialling `0.0.0.0` or `::` reaches loopback on
 * most systems and counts as such.
 *
 * @param ip canonical
 * @param localAddresses asked only when a wildcard listener has the port, since listing interfaces is a system call
 */
export function isOwnListener(
  ip: string,
  port: number,
  listeners: readonly HostPort[],
  localAddresses: () => readonly string[],
): boolean {
  return listeners.some((listener) => listener.port === port && answersOn(listener.host, ip, localAddresses))
}

function answersOn(listenerHost: string, ip: string, localAddresses: () => readonly string[]): boolean {
  const bound = boundAddress(listenerHost)
  if (bound === ip) return true
  const unspecified = isBlockedAs(ip, 'unspecified')
  if (bound !== undefined) return unspecified && isBlockedAs(bound, 'loopback')
  return unspecified || isBlockedAs(ip, 'loopback') || localAddresses().some((local) => isSameAddress(local, ip))
}

/** The one address a listener is bound to; undefined where it is all of them, or cannot be told. */
function boundAddress(host: string): string | undefined {
  try {
    const parsed = parseHost(host)
    if (parsed.kind === 'name') return undefined // what it resolved to when it was bound is not known here
    return isBlockedAs(parsed.ip, 'unspecified') ? undefined : parsed.ip
  } catch (error) {
    if (HawserError.is(error, 'address_invalid')) return undefined
    throw error
  }
}

function isBlockedAs(ip: string, reason: BlockedReason): boolean {
  const address = classifyAddress(ip)
  return !address.public && address.reason === reason
}

/** Interface addresses may carry a zone id, and mapped forms are the same address. */
function isSameAddress(local: string, ip: string): boolean {
  return classifyAddress(local.replace(/%.*$/, '')).canonical === ip
}
