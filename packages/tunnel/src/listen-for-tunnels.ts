import { randomBytes, randomUUID } from 'node:crypto'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:tls'
import type { Server, TLSSocket } from 'node:tls'
import { formatHostPort, HawserError, Secret } from '@hawser/core'
import type { HostPort, Logger } from '@hawser/core'
import { EdgeSide } from './connector-connection.ts'
import type { ConnectorConnection } from './connector-connection.ts'
import { encodeRefusal } from './dial-messages.ts'
import { readFirstMessage } from './messages.ts'
import { channelBinding, proofMatches, proofOf } from './proof.ts'
import { encodeAccepted, parseRegistration } from './register.ts'
import type { Registration } from './register.ts'
import { MuxSession } from './session.ts'
import type { MuxStream } from './stream.ts'
import { TLS_OPTIONS, TUNNEL_ALPN } from './transport.ts'

/** Of an edge, for `EDGE_SERVER_NAME`, signed by the CA that tokens pin. */
export interface EdgeCertificate {
  readonly certPem: string
  readonly keyPem: Secret
}

export interface TunnelListenerOptions extends EdgeCertificate {
  readonly listen: HostPort
  readonly edgeId: string
  /** The secret of a tunnel in base64; undefined for one that does not exist. */
  secretOf(tunnelId: string): Promise<Secret | undefined>
  /** Takes a connection that has proved its token. */
  onConnection(connection: ConnectorConnection): void
  readonly logger: Logger
}

export interface TunnelListener extends AsyncDisposable {
  readonly address: HostPort
  /** Shows this certificate on connections from now on. */
  renew(certificate: EdgeCertificate): void
  /** Takes no new connections, and drains those that are up for at most `graceMs`. @default 30_000 */
  close(graceMs?: number): Promise<void>
}

/** From the first packet of a connection to its proof. */
const REGISTER_TIMEOUT_MS = 10_000
/** Connections that have not proved anything yet; more are refused. */
const MAX_UNPROVED = 256
const GRACE_MS = 30_000

class Listener implements TunnelListener {
  readonly address: HostPort
  readonly #server: Server
  readonly #admission: Admission
  #closing: Promise<void> | undefined

  constructor(server: Server, admission: Admission) {
    this.#server = server
    this.#admission = admission
    const { address, port } = server.address() as AddressInfo
    this.address = { host: address, port }
  }

  renew({ certPem, keyPem }: EdgeCertificate): void {
    this.#server.setSecureContext({ ...TLS_OPTIONS, cert: certPem, key: keyPem.reveal() })
  }

  close(graceMs: number = GRACE_MS): Promise<void> {
    return (this.#closing ??= this.#close(graceMs))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(graceMs: number): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    await this.#admission.close(graceMs)
    await closed
  }
}

/** Decides on connections from their first packet to their registration, and keeps those that have registered. */
class Admission {
  readonly #options: TunnelListenerOptions
  readonly #connections = new Set<EdgeSide>()
  /** Connections that have not proved anything yet, and what they come from. */
  readonly #unproved = new Map<Socket, string>()
  /** Stands for the secret of a tunnel that does not exist, so that guessing ids takes as long as guessing secrets. */
  readonly #nobody = new Secret(randomBytes(32).toString('base64'))

  constructor(options: TunnelListenerOptions) {
    this.#options = options
  }

  /** A TCP connection, before any byte. */
  onAccept(socket: Socket): void {
    const from = formatHostPort({ host: socket.remoteAddress ?? 'unknown', port: socket.remotePort ?? 0 })
    if (this.#unproved.size >= MAX_UNPROVED) {
      this.#logRefusal(from, `${MAX_UNPROVED} connections have not registered yet`)
      socket.destroy()
      return
    }
    this.#unproved.set(socket, from)
    socket.on('error', () => {}) // the TLS server reports it
    socket.once('close', () => this.#unproved.delete(socket))
  }

  /** A TLS handshake that failed or took too long. */
  onHandshakeError(error: Error, socket: TLSSocket): void {
    const raw = rawSocket(socket)
    const from = raw === undefined ? undefined : this.#unproved.get(raw)
    if (raw !== undefined) this.#unproved.delete(raw)
    this.#logRefusal(from ?? 'unknown', error.message)
    socket.destroy()
  }

  onSecure(socket: TLSSocket): void {
    const raw = rawSocket(socket)
    const from = (raw === undefined ? undefined : this.#unproved.get(raw)) ?? 'unknown'
    if (socket.alpnProtocol !== TUNNEL_ALPN) {
      socket.on('error', () => {})
      this.#logRefusal(from, 'no ALPN protocol')
      socket.destroy()
      return
    }
    this.#expectRegistration(socket, from)
  }

  async close(graceMs: number): Promise<void> {
    for (const socket of this.#unproved.keys()) socket.destroy()
    await Promise.all([...this.#connections].map((connection) => connection.close(graceMs)))
  }

  #expectRegistration(socket: TLSSocket, from: string): void {
    let settled = false
    const once = (reason: HawserError | undefined): boolean => {
      if (settled) return false
      settled = true
      clearTimeout(timer)
      if (reason !== undefined) this.#logRefusal(from, reason.message, reason.code)
      return true
    }
    const refuse = (reason: HawserError): void => {
      if (once(reason)) session.abort(reason)
    }
    const timer = setTimeout(
      () => refuse(new HawserError('tunnel_timeout', 'no registration in time')),
      REGISTER_TIMEOUT_MS,
    )
    const accept = (control: MuxStream): void => {
      control.on('error', () => {}) // the session's end says more
      readFirstMessage(
        control,
        (message) => {
          const decided = this.#judge(socket, message)
          void decided.then(
            (registration) => {
              if (!once(undefined)) return
              this.#serve(session, control, registration, from, socket)
            },
            (error: unknown) => {
              const reason = HawserError.from(error, 'proxy_internal_error')
              if (!once(reason)) return
              control.sendPreface(encodeRefusal(reason))
              session.end()
            },
          )
        },
        refuse,
      )
    }
    const session = new MuxSession(socket, { role: 'server', onStream: accept, maxInboundStreams: 1 })
    void session.closed.then((error) => {
      once(error ?? new HawserError('tunnel_closed', 'the connector left before it registered'))
    })
  }

  async #judge(socket: TLSSocket, message: Parameters<typeof parseRegistration>[0]): Promise<Registration> {
    const registration = parseRegistration(message)
    const { tunnelId, connector, proof } = registration
    const secret = await this.#options.secretOf(tunnelId)
    if (socket.destroyed) throw new HawserError('tunnel_closed', 'the connector left before it registered')
    const expected = proofOf(secret ?? this.#nobody, channelBinding(socket), tunnelId, connector.id)
    if (!proofMatches(expected, proof) || secret === undefined) {
      throw new HawserError(
        'tunnel_auth_failed',
        'the edge does not accept this token: it is for another edge, deleted or replaced',
      )
    }
    return registration
  }

  #serve(session: MuxSession, control: MuxStream, registration: Registration, from: string, socket: TLSSocket): void {
    const raw = rawSocket(socket)
    if (raw !== undefined) this.#unproved.delete(raw)
    control.sendPreface(encodeAccepted(this.#options.edgeId))
    control.resume() // nothing more is expected of a connector in this version; what comes is dropped
    const connection = new EdgeSide(session, registration, randomUUID(), from)
    this.#connections.add(connection)
    void connection.closed.then(() => this.#connections.delete(connection))
    this.#options.onConnection(connection)
  }

  #logRefusal(remoteAddress: string, reason: string, code?: string): void {
    this.#options.logger.warn('refused a connection on the tunnel listener', { remoteAddress, reason, code })
  }
}

/** The TCP socket under a TLS socket of a server. */
function rawSocket(socket: TLSSocket): Socket | undefined {
  // Node keeps it in a property without a public name; `_parent` has been that property since Node 0.11.
  return '_parent' in socket ? (socket._parent as Socket) : undefined
}

/**
 * Listens for connectors. Only TLS 1.3 with ALPN `hawser/1` gets as far as registering; whatever else arrives is refused
 * and logged once.
 *
 * @throws {HawserError} `listen_failed`, naming the address
 */
export async function listenForTunnels(options: TunnelListenerOptions): Promise<TunnelListener> {
  const admission = new Admission(options)
  const server = createServer({
    ...TLS_OPTIONS,
    cert: options.certPem,
    key: options.keyPem.reveal(),
    honorCipherOrder: true,
    handshakeTimeout: REGISTER_TIMEOUT_MS,
    noDelay: true,
    // The one place that chooses by ALPN. A client that offers no known protocol gets the alert that says so.
    ALPNCallback: ({ protocols }) => (protocols.includes(TUNNEL_ALPN) ? TUNNEL_ALPN : undefined),
  })
  server.on('connection', (socket) => admission.onAccept(socket))
  server.on('tlsClientError', (error, socket) => admission.onHandshakeError(error, socket))
  server.on('secureConnection', (socket) => admission.onSecure(socket))
  const { host, port } = options.listen
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const text = `the tunnel listener cannot listen on ${formatHostPort(options.listen)}: ${cause.message}`
      reject(new HawserError('listen_failed', text, { cause }))
    })
    server.listen({ host, port }, resolve)
  })
  return new Listener(server, admission)
}
