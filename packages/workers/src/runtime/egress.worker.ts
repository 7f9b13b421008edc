/**
 * The hidden binding behind the module `cloudflare:sockets`. It is a module of its own because only an internal one may
 * import workerd's own sockets, and because it keeps the doors out of any object that user code could reach.
 */
import nativeSockets from 'cloudflare-internal:sockets'
import { parseAddress } from './address.ts'
import type { Destination } from './address.ts'
import { Connection } from './connection.ts'
import { markHandled } from './dead-socket.ts'
import type { Doors } from './doors.ts'
import type { Failures } from './failures.ts'
import type { Enter } from './invocations.worker.ts'
import { PROXY_FAILURES } from './proxy-error.ts'
import { parseConnectOptions } from './socket-options.ts'
import { plainSocket } from './socket.ts'
import type { TunnelSocket } from './socket.ts'

/** Host names that workerd itself answers for: the connection strings of Hyperdrive bindings (S-030). */
const HYPERDRIVE_SUFFIX = '.hyperdrive.local'
const HYPERDRIVE_TLS = 'a connection to Hyperdrive takes no TLS: Hyperdrive itself speaks TLS with the database'

const REFUSED = 'proxy request failed, cannot connect to the specified address'
const HTTP_HINT = 'It looks like you might be trying to connect to a HTTP-based service — consider using fetch instead'

/** The documented texts (S-190 to S-194). */
function documentedMessage(code: string, port: number): string {
  if (code === 'destination_port_prohibited') return `Connections to port ${port} are prohibited`
  if (code === 'proxy_loop_detected') return 'TCP Loop detected'
  return port === 80 || port === 443 ? `${REFUSED}. ${HTTP_HINT}` : REFUSED
}

/** Natively a reference of workerd's own log; the flow's id leads to the reason in ours. */
function reference(flow: string | undefined): string {
  return flow ?? crypto.randomUUID().replaceAll('-', '')
}

/** Native errors are plain: a message, and neither code nor cause (S-060, S-170). */
function nativeFailures(port: number): Failures {
  return {
    opening: ({ code }) => new Error(documentedMessage(code, port)),
    upgrading: ({ flow }) => new Error(`internal error; reference = ${reference(flow)}`),
    rejectOrphans: false,
  }
}

/** The `connect()` that `sockets.worker.ts` exports. */
export type Connect = (address: SocketAddress | string, options?: SocketOptions) => TunnelSocket | Socket

/** The same for `node:net` and `node:tls`: with the codes of what went wrong, and for streams that they hold on to. */
export type OpenConnection = (address: SocketAddress, options: SocketOptions) => ConnectionLike

/** What these two use of a {@link Connection}. */
export type ConnectionLike = Pick<Connection, 'readable' | 'writable' | 'closed' | 'close' | 'abort' | 'startTls'> & {
  readonly opened: Promise<unknown>
}

/** What the hidden binding holds. */
export interface Egress {
  readonly connect: Connect
  readonly openConnection: OpenConnection
  readonly enter: Enter
}

/** workerd rewrites such an address to the database's, but only in its own function. */
function isHyperdrive({ host }: Destination): boolean {
  return host.endsWith(HYPERDRIVE_SUFFIX)
}

/** The connection to Hyperdrive's own proxy, which is on this machine and speaks no TLS. */
function hyperdriveConnection(socket: Socket): ConnectionLike {
  return {
    readable: socket.readable,
    writable: socket.writable,
    opened: socket.opened,
    closed: socket.closed,
    close: () => socket.close(),
    abort: () => markHandled(socket.close()),
    startTls: () => {
      throw new TypeError(HYPERDRIVE_TLS)
    },
  }
}

/** Made once for each isolate, before any code of the Worker's runs. */
export default function egress(doors: Doors): Egress {
  const connect: Connect = (address, options) => {
    const destination = parseAddress(address)
    if (isHyperdrive(destination)) return nativeSockets.connect(address, options)
    const { secureTransport, native } = parseConnectOptions(options)
    const failures = nativeFailures(destination.port)
    return plainSocket(Connection.open({ doors, destination, options: native, failures }, secureTransport))
  }
  const openConnection: OpenConnection = (address, options) => {
    const destination = parseAddress(address)
    if (isHyperdrive(destination)) {
      if (options.secureTransport === 'on') throw new TypeError(HYPERDRIVE_TLS)
      return hyperdriveConnection(nativeSockets.connect(address, { allowHalfOpen: options.allowHalfOpen }))
    }
    const { secureTransport, native } = parseConnectOptions(options)
    return Connection.open({ doors, destination, options: native, failures: PROXY_FAILURES }, secureTransport)
  }
  return { connect, openConnection, enter: doors.INVOCATIONS.enter }
}
