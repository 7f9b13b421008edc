/**
 * The hidden binding behind the module `cloudflare:sockets`. It is a module of its own because only an internal one may
 * import workerd's own sockets, and because it keeps the doors out of any object that user code could reach.
 */
import nativeSockets from 'cloudflare-internal:sockets'
import { parseAddress } from './address.ts'
import { dial } from './doors.ts'
import type { Doors, FlowFailure } from './doors.ts'
import { parseConnectOptions } from './socket-options.ts'
import { follow, plainSocket } from './socket.ts'
import type { TunnelSocket } from './socket.ts'

/** Host names that workerd itself answers for: the connection strings of Hyperdrive bindings (S-030). */
const HYPERDRIVE_SUFFIX = '.hyperdrive.local'

const REFUSED = 'proxy request failed, cannot connect to the specified address'
const HTTP_HINT = 'It looks like you might be trying to connect to a HTTP-based service — consider using fetch instead'

/** The documented texts (S-190 to S-194) and nothing beside them: native errors carry no code (S-060). */
function documentedMessage(code: string, port: number): string {
  if (code === 'destination_port_prohibited') return `Connections to port ${port} are prohibited`
  if (code === 'proxy_loop_detected') return 'TCP Loop detected'
  return port === 80 || port === 443 ? `${REFUSED}. ${HTTP_HINT}` : REFUSED
}

/** The `connect()` that `sockets.worker.ts` exports. */
export type Connect = (address: SocketAddress | string, options?: SocketOptions) => TunnelSocket | Socket

/** Made once for each isolate, before any code of the Worker's runs. */
export default function egress(doors: Doors): Connect {
  return (address, options) => {
    const destination = parseAddress(address)
    // workerd rewrites such an address to the database's, but only in its own function.
    if (destination.host.endsWith(HYPERDRIVE_SUFFIX)) return nativeSockets.connect(address, options)
    const { secureTransport, native } = parseConnectOptions(options)
    const toError = ({ code }: FlowFailure): Error => new Error(documentedMessage(code, destination.port))
    return plainSocket(follow(dial(doors, destination, native), destination, secureTransport, toError))
  }
}
