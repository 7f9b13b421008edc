/** Shadows workerd's `node:net`, and with it `net`: connections go through the edge, TLS included. */
import { normalizeArguments } from './connect-arguments.ts'
import { nativeNet } from './native-modules.ts'
import { Socket } from './socket.ts'

export { Socket }
/** An old name of it. */
export const Stream: typeof Socket = Socket

/** S-271 and S-278: all forms of Node.js but those for Unix sockets. */
export function connect(...args: unknown[]): Socket {
  const [options] = normalizeArguments(args)
  const socket = new Socket(options)
  const { timeout } = options
  if (typeof timeout === 'number' && timeout !== 0) socket.setTimeout(timeout)
  return socket.connect(...args)
}

export const createConnection: typeof connect = connect

export const {
  BlockList,
  SocketAddress,
  Server,
  createServer,
  isIP,
  isIPv4,
  isIPv6,
  getDefaultAutoSelectFamily,
  setDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  setDefaultAutoSelectFamilyAttemptTimeout,
} = nativeNet

/** workerd's, and no part of Node.js. */
export const BoundSocket: unknown = Reflect.get(nativeNet, 'BoundSocket')

/** Used by some drivers, though Node.js does not document it. */
export function _normalizeArgs(args: readonly unknown[]): [options: object, callback: (() => void) | null] {
  const [options, callback] = normalizeArguments(args)
  return [options, callback ?? null]
}

// oxlint-disable-next-line import/no-default-export -- `import net from 'node:net'` is how most drivers do it
export default {
  BlockList,
  BoundSocket,
  SocketAddress,
  Stream,
  Server,
  Socket,
  connect,
  createConnection,
  createServer,
  getDefaultAutoSelectFamily,
  setDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  setDefaultAutoSelectFamilyAttemptTimeout,
  isIP,
  isIPv4,
  isIPv6,
  _normalizeArgs,
}
