/** Shadows workerd's `node:tls`, and with it `tls`: TLS is done by the edge, and never by nobody. */
import { normalizeArguments } from './connect-arguments.ts'
import { nativeTls } from './native-modules.ts'
import { checkServerIdentity, createSecureContext, SecureContext } from './secure-context.ts'
import type { TlsOptions } from './secure-context.ts'
import { TLSSocket } from './tls-socket.ts'

export { checkServerIdentity, createSecureContext, SecureContext, TLSSocket }

/** `tls.connect()` may have its options behind the port, or behind port and host. */
function readArguments(args: readonly unknown[]): [options: TlsOptions, callback: (() => void) | undefined] {
  const [options, callback] = normalizeArguments(args)
  const more = args.slice(1, 3).find((value) => typeof value === 'object' && value !== null)
  return [{ ...options, ...more }, callback]
}

/**
 * All forms of Node.js. The certificate is verified whatever the options say; `socket` must be of `net.connect()`.
 *
 * @throws {TypeError} and others, with Node's codes
 */
export function connect(...args: unknown[]): TLSSocket {
  const [options, callback] = readArguments(args)
  const { socket, timeout } = options
  const secure = new TLSSocket(socket, options)
  if (callback !== undefined) secure.once('secureConnect', callback)
  if (typeof timeout === 'number' && timeout !== 0) secure.setTimeout(timeout)
  if (socket === undefined || socket === null) secure.connect(options)
  else secure._start()
  return secure
}

export const {
  Server,
  createServer,
  convertALPNProtocols,
  getCiphers,
  CLIENT_RENEG_LIMIT,
  CLIENT_RENEG_WINDOW,
  DEFAULT_CIPHERS,
  DEFAULT_ECDH_CURVE,
  DEFAULT_MAX_VERSION,
  DEFAULT_MIN_VERSION,
  rootCertificates,
} = nativeTls as typeof nativeTls & { convertALPNProtocols: unknown }

/** Deprecated in Node.js, and not implemented in workerd. */
export const createSecurePair: unknown = Reflect.get(nativeTls, 'createSecurePair')

// oxlint-disable-next-line import/no-default-export -- `import tls from 'node:tls'` is how most drivers do it
export default {
  SecureContext,
  Server,
  TLSSocket,
  connect,
  createSecureContext,
  createServer,
  checkServerIdentity,
  convertALPNProtocols,
  getCiphers,
  createSecurePair,
  CLIENT_RENEG_LIMIT,
  CLIENT_RENEG_WINDOW,
  DEFAULT_CIPHERS,
  DEFAULT_ECDH_CURVE,
  DEFAULT_MAX_VERSION,
  DEFAULT_MIN_VERSION,
  rootCertificates,
}
