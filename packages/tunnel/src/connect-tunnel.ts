import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { formatHostPort, HawserError } from '@hawser/core'
import type { HostPort, Logger } from '@hawser/core'
import { parseConfigure } from './announcements.ts'
import type { Configuration } from './announcements.ts'
import { serveControlStream } from './control-stream.ts'
import type { ControlStream, Operations } from './control-stream.ts'
import { parseMessage, readFirstMessage } from './messages.ts'
import type { Message } from './messages.ts'
import { channelBinding, proofOf } from './proof.ts'
import { DEFAULT_WEIGHT, encodeRegistration, parseAccepted } from './register.ts'
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
  /** 0 to 100, see docs/protocol.md, "Register". @default 100 */
  readonly weight?: number | undefined
  /** Opens the connections that the edge asks for. */
  readonly dial: DialHandler
  /** Takes what the edge tells this connector to do. What it throws is told to the edge. @default nothing is taken */
  readonly onConfigure?: ((configuration: Configuration) => void) | undefined
  readonly logger: Logger
  /** Gives the attempt up; a connection that is up stays up. */
  readonly signal?: AbortSignal | undefined
}

/** For TCP alone. The kernel repeats a lost packet later and later; to try anew finds an edge sooner that has come back. */
const TCP_TIMEOUT_MS = 3_000
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

interface Registered {
  readonly edgeId: string
  readonly control: ControlStream
}

function operationsFor({ onConfigure }: ConnectTunnelOptions): Operations {
  if (onConfigure === undefined) return new Map()
  const configure = (request: Message): Message => {
    onConfigure(parseConfigure(request))
    return { ok: true }
  }
  return new Map([['configure', configure]])
}

function register(session: MuxSession, socket: TLSSocket, options: ConnectTunnelOptions): Promise<Registered> {
  const { token, connector, weight = DEFAULT_WEIGHT } = options
  const proof = proofOf(token.secret, channelBinding(socket), token.tunnelId, connector.id)
  return new Promise((resolve, reject) => {
    const control = session.open(encodeRegistration({ tunnelId: token.tunnelId, connector, weight, proof }))
    readFirstMessage(control, {
      onMessage: (message) => {
        try {
          const edgeId = parseAccepted(parseMessage(message))
          resolve({ edgeId, control: serveControlStream(session, control, operationsFor(options)) })
        } catch (error) {
          reject(error)
        }
      },
      onLost: reject,
    })
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
  const onLate = (milliseconds: number): void => {
    giveUp(new HawserError('edge_unreachable', `${edge}: no answer within ${milliseconds / 1000} s`))
  }
  const timer = setTimeout(onLate, CONNECT_TIMEOUT_MS, CONNECT_TIMEOUT_MS)
  const tcpTimer = setTimeout(onLate, TCP_TIMEOUT_MS, TCP_TIMEOUT_MS)
  socket.once('connect', () => clearTimeout(tcpTimer))
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
    const leaving = Promise.withResolvers<void>()
    const session = new MuxSession(socket, {
      role: 'client',
      onStream: (stream) => dials.accept(stream),
      onGoAway: leaving.resolve,
    })
    const { edgeId, control } = await Promise.race([register(session, socket, options), failed.promise])
    return new ConnectorSide(session, dials, edgeId, control, leaving.promise)
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
    clearTimeout(tcpTimer)
    options.signal?.removeEventListener('abort', onAbort)
    socket.off('close', onClose)
  }
}
