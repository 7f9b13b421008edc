import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server as TcpServer, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Server as TlsServer, TLSSocket } from 'node:tls'
import { formatHostPort, HawserError, systemCode } from '@hawser/core'
import type { HostPort, Logger, Secret } from '@hawser/core'
import { TLS_OPTIONS } from './transport.ts'

/** Of an edge, for `EDGE_SERVER_NAME`, signed by the CA that tokens pin. */
export interface EdgeCertificate {
  readonly certPem: string
  readonly keyPem: Secret
}

/** A connection past its TLS handshake that has not proved yet who it is. */
export interface Arrival {
  readonly socket: TLSSocket
  /** `ip:port`. */
  readonly remoteAddress: string
  /** It has proved who it is: from now on it does not count among the strangers. */
  admit(): void
  /** Logs why it may not stay, once, however often it is called. The caller closes the connection. */
  refuse(reason: HawserError): void
}

export interface TlsListenerOptions extends EdgeCertificate {
  readonly listen: HostPort
  /** Who speaks which protocol: ALPN identifier to handler, the preferred one first. The one place that chooses by ALPN. */
  readonly protocols: ReadonlyMap<string, (arrival: Arrival) => void>
  /** Milliseconds that a TLS handshake may take. */
  readonly handshakeTimeoutMs: number
  /** Connections that have not proved yet who they are; more are refused. */
  readonly maxStrangers: number
  readonly logger: Logger
}

/** A TCP connection from its first packet until it is admitted or closed. */
interface Stranger {
  readonly tcp: Socket
  readonly remoteAddress: string
  /** A refusal has been logged, or the TLS handshake is over and the log is its handler's business. */
  settled: boolean
}

/**
 * Accepts TLS 1.3 connections and hands each to the handler of its ALPN protocol. Whatever else arrives is refused: garbage,
 * other protocols, handshakes that take too long, and more strangers than there is room for. Each refusal is one line of the
 * log.
 */
export class TlsListener {
  readonly #options: TlsListenerOptions
  readonly #tcp: TcpServer
  /** Makes TLS connections of what the TCP server accepts; never listens itself, so that refusing costs no TLS state. */
  readonly #tls: TlsServer
  /** By remote `ip:port`: what Node tells of a failed handshake names the connection in no other way. */
  readonly #strangers = new Map<string, Stranger>()
  #closing = false

  constructor(options: TlsListenerOptions) {
    this.#options = options
    const known = [...options.protocols.keys()]
    this.#tls = createTlsServer({
      ...secureContext(options),
      honorCipherOrder: true,
      handshakeTimeout: options.handshakeTimeoutMs,
      // A client that offers nothing known gets the alert that says so.
      ALPNCallback: ({ protocols }) => known.find((protocol) => protocols.includes(protocol)),
    })
    this.#tls.on('tlsClientError', (error, socket) => this.#onHandshakeError(error, socket))
    this.#tls.on('secureConnection', (socket) => this.#onSecure(socket))
    this.#tcp = createTcpServer({ noDelay: true }, (socket) => this.#onAccept(socket))
  }

  /** @throws {HawserError} `listen_failed`, naming the address */
  async listen(): Promise<void> {
    const { listen } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#tcp.once('error', (cause) => {
        const text = `the tunnel listener cannot listen on ${formatHostPort(listen)}: ${cause.message}`
        reject(new HawserError('listen_failed', text, { cause }))
      })
      this.#tcp.listen({ host: listen.host, port: listen.port }, resolve)
    })
    this.#tcp.on('error', (error) => {
      // Out of file descriptors, most likely. The connection is lost, the listener is not.
      this.#options.logger.warn('could not accept a connection', { reason: error.message, code: systemCode(error) })
    })
  }

  get address(): HostPort {
    const { address, port } = this.#tcp.address() as AddressInfo
    return { host: address, port }
  }

  /** Shows this certificate on connections from now on. */
  renew(certificate: EdgeCertificate): void {
    this.#tls.setSecureContext(secureContext(certificate))
  }

  /** Accepts nothing more and drops all strangers. Resolves when those that were admitted are closed too. */
  close(): Promise<void> {
    this.#closing = true
    const closed = new Promise<void>((resolve) => this.#tcp.close(() => resolve()))
    for (const { tcp } of this.#strangers.values()) tcp.destroy()
    return closed
  }

  #onAccept(tcp: Socket): void {
    const remoteAddress = formatHostPort({ host: tcp.remoteAddress ?? 'unknown', port: tcp.remotePort ?? 0 })
    tcp.on('error', ignore) // reported by the TLS server
    if (this.#strangers.size >= this.#options.maxStrangers) {
      const text = `${this.#options.maxStrangers} connections have not registered yet`
      this.#logRefusal(remoteAddress, new HawserError('connection_limit_reached', text))
      tcp.destroy()
      return
    }
    const stranger = { tcp, remoteAddress, settled: false }
    this.#strangers.set(remoteAddress, stranger)
    tcp.once('close', () => {
      if (!stranger.settled)
        this.#options.logger.debug('a connection closed before its TLS handshake', { remoteAddress })
      this.#forget(stranger)
    })
    this.#tls.emit('connection', tcp)
  }

  #onHandshakeError(error: Error, socket: TLSSocket): void {
    const stranger = this.#strangerOf(socket)
    // Of a peer that has hung up, the TLS socket does not know the address any more; the TCP socket's close is enough.
    if (stranger !== undefined && !stranger.settled) {
      stranger.settled = true
      this.#logRefusal(stranger.remoteAddress, new HawserError('tunnel_protocol_error', error.message))
    }
    socket.destroy()
  }

  #onSecure(socket: TLSSocket): void {
    socket.on('error', ignore) // until a handler listens
    const stranger = this.#strangerOf(socket)
    if (stranger === undefined) return void socket.destroy()
    stranger.settled = true
    const handler = this.#options.protocols.get(socket.alpnProtocol || '')
    if (handler !== undefined) return handler(this.#arrivalOf(stranger, socket))
    this.#logRefusal(
      stranger.remoteAddress,
      new HawserError('tunnel_protocol_error', 'the client offered no ALPN protocol'),
    )
    return void socket.destroy()
  }

  #arrivalOf(stranger: Stranger, socket: TLSSocket): Arrival {
    const { remoteAddress } = stranger
    let refused = false
    return {
      socket,
      remoteAddress,
      admit: () => this.#forget(stranger),
      refuse: (reason) => {
        if (!refused) this.#logRefusal(remoteAddress, reason)
        refused = true
      },
    }
  }

  #strangerOf(socket: TLSSocket): Stranger | undefined {
    const { remoteAddress: host, remotePort: port } = socket
    return host === undefined || port === undefined ? undefined : this.#strangers.get(formatHostPort({ host, port }))
  }

  #forget(stranger: Stranger): void {
    if (this.#strangers.get(stranger.remoteAddress) === stranger) this.#strangers.delete(stranger.remoteAddress)
  }

  #logRefusal(remoteAddress: string, { code, message }: HawserError): void {
    if (this.#closing) return // it is this listener that has hung up
    this.#options.logger.warn('refused a connection on the tunnel listener', { remoteAddress, reason: message, code })
  }
}

function secureContext({ certPem, keyPem }: EdgeCertificate): { cert: string; key: string } & typeof TLS_OPTIONS {
  return { ...TLS_OPTIONS, cert: certPem, key: keyPem.reveal() }
}

function ignore(): void {}
