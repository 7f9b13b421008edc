/** Shadows workerd's `cloudflare:sockets` for the whole Worker, its dependencies and dynamic imports included. */
import { connect as open } from 'hawser:runtime'
import type { Connect } from './egress.worker.ts'

/** A function, not an arrow: `new connect(address)` works natively, and so it must here (S-002). */
export function connect(address: SocketAddress | string, options: SocketOptions): ReturnType<Connect> {
  return open(address, options)
}

/** S-001: exported natively too, and just as unusable there without an experimental flag. */
export function internalNewHttpClient(): never {
  throw new TypeError('sockets.internalNewHttpClient is not a function')
}
