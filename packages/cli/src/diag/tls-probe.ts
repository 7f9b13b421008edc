import type { X509Certificate } from 'node:crypto'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { HawserError } from '@hawser/core'
import { EDGE_SERVER_NAME, TUNNEL_ALPN } from '@hawser/tunnel'
import type { DiagLimits } from './check-addresses.ts'

/** What the other end of a handshake showed, whether or not it is to be trusted. */
export interface SeenTls {
  readonly protocol: string
  /** Undefined where none was agreed upon. */
  readonly alpn: string | undefined
  readonly certificate: X509Certificate | undefined
  /** Why the certificate is not trusted: a code of OpenSSL or Node; undefined where it is. */
  readonly distrust: string | undefined
}

function seenBy(socket: TLSSocket): SeenTls {
  // Node's types have an error here; what it holds is the code of one.
  const distrust: unknown = socket.authorizationError
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : undefined,
    certificate: socket.getPeerX509Certificate(),
    distrust: socket.authorized ? undefined : String(distrust),
  }
}

/**
 * Shakes hands as a connector would, but goes on whatever it is shown: what a middlebox presents is what has to be told.
 * Nothing is sent afterwards, so nothing is given away. TLS 1.2 is offered too, since that is all that some of them speak.
 *
 * @throws the socket's error; {@link HawserError} `connection_timeout`, `connection_terminated` where the other end hung up
 */
export async function probeTls(
  { ip, port }: { readonly ip: string; readonly port: number },
  caPem: string,
  { signal, timeoutMs }: DiagLimits,
): Promise<SeenTls> {
  const socket = connect({
    host: ip,
    port,
    ca: caPem,
    servername: EDGE_SERVER_NAME,
    ALPNProtocols: [TUNNEL_ALPN],
    minVersion: 'TLSv1.2',
    rejectUnauthorized: false,
  })
  const { promise, resolve, reject } = Promise.withResolvers<SeenTls>()
  const timer = setTimeout(
    () => reject(new HawserError('connection_timeout', `no answer in ${timeoutMs} ms`)),
    timeoutMs,
  )
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  socket.once('secureConnect', () => resolve(seenBy(socket)))
  socket.on('error', reject)
  socket.once('close', () => reject(new HawserError('connection_terminated', 'the other end hung up')))
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
    socket.destroy()
  }
}
