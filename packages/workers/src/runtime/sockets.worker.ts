/** Shadows workerd's `cloudflare:sockets` for the whole Worker, its dependencies and dynamic imports included. */
import { env } from 'cloudflare:workers'
import type { Connect } from './egress.worker.ts'

/** Also in `miniflare/vpc.ts`, which binds it; long, because a Worker's own names share the namespace. */
const EGRESS_BINDING = '__HAWSER_EGRESS__'

const bindings = env as Record<string, unknown>
const open = bindings[EGRESS_BINDING] as Connect
// The entry module imports this one before any of the user's, so that nothing of it is left in any `env`.
delete bindings[EGRESS_BINDING]

/** A function, not an arrow: `new connect(address)` works natively, and so it must here (S-002). */
export function connect(address: SocketAddress | string, options: SocketOptions): ReturnType<Connect> {
  return open(address, options)
}

/** S-001: exported natively too, and just as unusable there without an experimental flag. */
export function internalNewHttpClient(): never {
  throw new TypeError('sockets.internalNewHttpClient is not a function')
}
