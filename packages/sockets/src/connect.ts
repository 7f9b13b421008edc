import { parseAddress, readAddress } from './address.ts'
import type { SocketAddress } from './address.ts'
import type { ConnectionPlan } from './connection.ts'
import { checkSecureTransport, readOptions } from './options.ts'
import type { SocketOptions } from './options.ts'
import { directRoute } from './route.ts'
import type { Route } from './route.ts'
import { openSocket } from './socket.ts'
import type { Socket } from './socket.ts'
import { compileTlsRules } from './tls-rules.ts'
import type { TlsRule } from './tls-rules.ts'

/** The type of `connect()`. */
export type Connect = (address: string | SocketAddress, options?: SocketOptions) => Socket

/** What a program decides once for all sockets it lets be opened. */
export interface ConnectSettings {
  /** CAs, client certificates and verification by target; the first rule that matches counts. @default none */
  readonly tls?: readonly TlsRule[] | undefined
}

/** Node's own trust, with what NODE_EXTRA_CA_CERTS adds to it. */
const DEFAULT_ROUTE = directRoute(compileTlsRules([]))

/**
 * Opens a TCP connection to `address`, `host:port` or `{ hostname, port }`, as `connect()` of `cloudflare:sockets` does.
 * Returns at once; whether it worked shows in `opened`. What is written before that is queued.
 * @throws {TypeError} for a wrong address or option, with workerd's texts (S-020 to S-043)
 */
export function connect(address: string | SocketAddress, options?: SocketOptions): Socket {
  return openBy(DEFAULT_ROUTE, address, options)
}

/**
 * Makes a `connect()` with settings of its own, which the code that calls it cannot see or change.
 * @throws {TypeError} for a wrong setting, naming it; certificate files are read here
 */
export function createConnect(settings: ConnectSettings = {}): Connect {
  const unknown = Object.keys(settings).find((key) => key !== 'tls')
  if (unknown !== undefined) throw new TypeError(`${unknown}: no such setting; there is tls`)
  const route = directRoute(compileTlsRules(settings.tls ?? []))
  return function connect(address: string | SocketAddress, options?: SocketOptions): Socket {
    return openBy(route, address, options)
  }
}

function openBy(route: Route, address: unknown, options: unknown): Socket {
  return openSocket(planFor(route, address, options))
}

/** @throws {TypeError} for a wrong address or option (S-020 to S-043) */
export function planFor(route: Route, address: unknown, options: unknown): ConnectionPlan {
  // Everything is read and converted before anything is checked, and the address is checked first (S-020).
  const raw = readAddress(address)
  const config = readOptions(options)
  const target = parseAddress(raw)
  const secureTransport = checkSecureTransport(config.secureTransport)
  return { target, config, secureTransport, route }
}
