/**
 * The hidden binding behind the module `cloudflare:sockets`. It is a module of its own because only an internal one may
 * import workerd's own sockets, and because it keeps the doors out of any object that user code could reach.
 */
import nativeSockets from 'cloudflare-internal:sockets'
import { parseAddress } from './address.ts'
import { Connection } from './connection.ts'
import type { Doors } from './doors.ts'
import type { Failures } from './failures.ts'
import type { Enter } from './invocations.worker.ts'
import { parseConnectOptions } from './socket-options.ts'
import { plainSocket } from './socket.ts'
import type { TunnelSocket } from './socket.ts'

/** Host names that workerd itself answers for: the connection strings of Hyperdrive bindings (S-030). */
const HYPERDRIVE_SUFFIX = '.hyperdrive.local'

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

/** What the hidden binding holds. */
export interface Egress {
  readonly connect: Connect
  readonly enter: Enter
}

/** Made once for each isolate, before any code of the Worker's runs. */
export default function egress(doors: Doors): Egress {
  const connect: Connect = (address, options) => {
    const destination = parseAddress(address)
    // workerd rewrites such an address to the database's, but only in its own function.
    if (destination.host.endsWith(HYPERDRIVE_SUFFIX)) return nativeSockets.connect(address, options)
    const { secureTransport, native } = parseConnectOptions(options)
    const failures = nativeFailures(destination.port)
    return plainSocket(Connection.open({ doors, destination, options: native, failures }, secureTransport))
  }
  return { connect, enter: doors.INVOCATIONS.enter }
}
