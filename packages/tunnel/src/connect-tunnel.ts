import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { formatHostPort, HawserError } from '@hawser/core'
import type { HostPort, Logger } from '@hawser/core'
import { serveControlStream } from './control-stream.ts'
import { readFirstMessage } from './messages.ts'
import { channelBinding, proofOf } from './proof.ts'
import { encodeRegistration, parseAccepted } from './register.ts'
import type { ConnectorInfo } from './register.ts'
import { DialServer } from './serve-dials.ts'
import type { DialHandler } from './serve-dials.ts'
import { MuxSession } from './session.ts'
import type { TunnelToken } from './token.ts'
import { ConnectorSide } from './tunnel-connection.ts'
import type { TunnelConnection } from './tunnel-connection.ts'
import { connectError, EDGE_SERVER_NAME, TLS_OPTIONS, TUNNEL_ALPN } from './transport.ts'

/** Where to connect, as what, and what to do there. */
export interface ConnectTunnelOptions {
  readonly edge: HostPort
  readonly token: TunnelToken
  readonly connector: ConnectorInfo
  /** Opens the connections that the edge asks for. */
  readonly dial: DialHandler
  readonly logger: Logger
  /** Gives the attempt up; a connection that is up stays up. */
  readonly signal?: AbortSignal | undefined
}

/** From the first packet to the accepted registration. */
const CONNECT_TIMEOUT_MS = 10_000

function secureConnection(options: ConnectTunnelOptions): TLSSocket {
  const { host, port } = options.edge
  const socket = connect({
    ...TLS_OPTIONS,
    host,
    port,
    ca: options.token.caPem,
    servername: EDGE_SERVER_NAME,
    ALPNProtocols: [TUNNEL_ALPN],
  })
  return socket.setNoDelay()
}

function register(session: MuxSession, socket: TLSSocket, options: ConnectTunnelOptions): Promise<string> {
  const { token, connector } = options
  const proof = proofOf(token.secret, channelBinding(socket), token.tunnelId, connector.id)
  return new Promise((resolve, reject) => {
    const control = session.open(encodeRegistration({ tunnelId: token.tunnelId, connector, proof }))
    control.on('error', () => {}) // the session's end says more
    readFirstMessage(
      control,
      (message) => {
        try {
          const edgeId = parseAccepted(message)
          serveControlStream(session, control, new Map())
          resolve(edgeId)
        } catch (error) {
          reject(error)
        }
      },
      reject,
    )
  })
}

/**
 * Connects to one edge, checks that it is the one the token means, proves the token without sending it, and then serves
 * the edge's dials until the connection ends.
 *
 * @throws {HawserError} `edge_unreachable`, `edge_certificate_error`, `tunnel_auth_failed`, `tunnel_protocol_error`,
 *   `connection_aborted` after `signal` aborts
 */
export async function connectTunnel(options: ConnectTunnelOptions): Promise<TunnelConnection> {
  const edge = formatHostPort(options.edge)
  const socket = secureConnection(options)
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {}) // it may lose every race below
  const giveUp = (error: HawserError): void => {
    failed.reject(error)
    socket.destroy()
  }
  const timer = setTimeout(() => {
    giveUp(new HawserError('edge_unreachable', `${edge}: no answer within ${CONNECT_TIMEOUT_MS / 1000} s`))
  }, CONNECT_TIMEOUT_MS)
  const onAbort = (): void => giveUp(new HawserError('connection_aborted', `connecting to ${edge} was given up`))
  const onError = (error: Error): void => failed.reject(connectError(error, edge))
  const onClose = (): void => failed.reject(new HawserError('edge_unreachable', `${edge} closed the connection`))
  socket.on('error', onError)
  socket.once('close', onClose)
  options.signal?.addEventListener('abort', onAbort, { once: true })
  if (options.signal?.aborted === true) onAbort()
  try {
    const secured = new Promise<void>((resolve) => socket.once('secureConnect', resolve))
    await Promise.race([secured, failed.promise])
    if (socket.alpnProtocol !== TUNNEL_ALPN) {
      throw new HawserError('tunnel_protocol_error', `${edge} does not offer ${TUNNEL_ALPN}`)
    }
    const dials = new DialServer(options.dial)
    const session = new MuxSession(socket, { role: 'client', onStream: (stream) => dials.accept(stream) })
    const edgeId = await Promise.race([register(session, socket, options), failed.promise])
    return new ConnectorSide(session, dials, edgeId)
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', onAbort)
    socket.off('close', onClose)
  }
}
