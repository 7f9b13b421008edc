import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server as TcpServer, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Server as TlsServer, TLSSocket } from 'node:tls'
import { formatHostPort, HawserError } from '@hawser/core'
import type { HostPort, Logger, Secret, TlsRule } from '@hawser/core'
import type { Directory } from '@hawser/directory'
import { IntruderLog } from '../doors/intruder-log.ts'
import { listenInParallel } from '../doors/listen-in-parallel.ts'
import type { Listening } from '../doors/listen-in-parallel.ts'
import { stopListening } from '../doors/listen.ts'
import type { FlowServices } from '../flow/context.ts'
import { TlsClient } from '../tls/tls-client.ts'
import { ClientAccess } from './client-access.ts'
import type { Grant } from './client-access.ts'
import { ClientDoor, refuseClient } from './client-door.ts'
import { CLIENT_ALPN, clientBinding, parseHello } from './client-hello.ts'
import { bindingFor } from './client-target.ts'
import { readHello } from './read-hello.ts'

const DOOR = 'clients listener'
/** For the TLS handshake, and then for the hello. */
const HELLO_TIMEOUT_MS = 10_000
/** Connections that have not proved yet whose they are; more are refused. */
const MAX_STRANGERS = 256

/** Of an edge, signed by the CA that tokens pin. */
export interface ClientCertificate {
  readonly certPem: string
  readonly keyPem: Secret
}

export interface ClientListenerOptions {
  readonly listen: HostPort
  readonly certificate: ClientCertificate
  readonly directory: Pick<Directory, 'clients' | 'services' | 'tunnels'>
  readonly services: FlowServices
  /** For TLS to targets. @default public trust and full verification */
  readonly tls?: readonly TlsRule[] | undefined
  readonly logger: Logger
  /** @default 10_000 */
  readonly helloTimeoutMs?: number | undefined
  /** @default 256 */
  readonly maxStrangers?: number | undefined
}

/**
 * Where programs that are no Workers come in: TLS 1.3 with ALPN `hawser-client/1`, a proof of a client's token, and then what
 * a Worker's doors take. Whatever else arrives is refused and logged once.
 */
export class ClientListener {
  readonly address: HostPort
  readonly #options: ClientListenerOptions
  readonly #access: ClientAccess
  readonly #intruders: IntruderLog
  /** All on one address. */
  readonly #tcp: Listening
  /** Makes TLS connections of what the TCP servers accept; never listens itself. */
  readonly #tls: TlsServer
  /** TCP connections by remote `ip:port`, by which the TLS connection over each is found. */
  readonly #connections = new Map<string, Socket>()
  /** Of these, those that have not proved yet whose they are. */
  readonly #strangers = new Set<Socket>()
  readonly #doors = new Map<string, { readonly clientId: string; readonly door: ClientDoor }>()
  #draining: Promise<void> | undefined
  #stopped: Promise<unknown> | undefined
  #closing: Promise<void> | undefined

  private constructor(options: ClientListenerOptions, tcp: Listening) {
    const { address, port } = tcp[0].address() as AddressInfo
    this.address = { host: address, port }
    this.#options = options
    this.#access = new ClientAccess(options.directory, options.logger)
    this.#intruders = new IntruderLog(options.logger)
    this.#tcp = tcp
    this.#tls = createTlsServer({
      ...secureContext(options.certificate),
      handshakeTimeout: this.#helloTimeoutMs,
      ALPNCallback: ({ protocols }) => (protocols.includes(CLIENT_ALPN) ? CLIENT_ALPN : undefined),
    })
    this.#tls.on('tlsClientError', (error, socket) => {
      const tcpSocket = this.#tcpOf(socket)
      if (tcpSocket !== undefined) this.#refused(tcpSocket, new HawserError('tls_protocol_error', error.message))
      socket.destroy()
    })
    this.#tls.on('secureConnection', (socket) => void this.#greet(socket))
    for (const server of tcp) {
      server.on('connection', (socket) => this.#accept(socket))
      server.on('error', (error) => options.logger.warn('could not accept a connection', { reason: error.message }))
    }
  }

  /** @throws {HawserError} `listen_failed`, `config_invalid` for a TLS rule that cannot be used */
  static async open(options: ClientListenerOptions): Promise<ClientListener> {
    void new TlsClient({ rules: options.tls, trust: options.services.trust }) // finds mistakes now, not with the first client
    const create = (): TcpServer => createTcpServer({ noDelay: true, allowHalfOpen: true })
    const what = `clients listener on ${formatHostPort(options.listen)}`
    return new ClientListener(options, await listenInParallel(create, options.listen, what))
  }

  /** Shows this certificate on connections from now on. */
  renew(certificate: ClientCertificate): void {
    this.#tls.setSecureContext(secureContext(certificate))
  }

  /** Ends all connections of a client that has been deleted. */
  disconnect(clientId: string): void {
    for (const [key, entry] of this.#doors) {
      if (entry.clientId !== clientId) continue
      this.#doors.delete(key)
      entry.door.abort(new HawserError('connection_terminated', 'the client has been deleted'))
      void entry.door.drain()
    }
  }

  /** Takes no new connection and no new request; resolves when the flows under way have ended. */
  drain(): Promise<void> {
    return (this.#draining ??= this.#drain())
  }

  /** Drains for up to `graceMs`, then ends what is left. */
  close(graceMs: number): Promise<void> {
    return (this.#closing ??= this.#close(graceMs))
  }

  /** Ends all flows and connections now. */
  abort(reason: HawserError): void {
    for (const { door } of this.#doors.values()) door.abort(reason)
    for (const socket of this.#connections.values()) socket.destroy()
  }

  async #drain(): Promise<void> {
    this.#stopped = Promise.all(this.#tcp.map(stopListening))
    for (const socket of this.#strangers) socket.destroy()
    await Promise.all(Array.from(this.#doors.values(), ({ door }) => door.drain()))
  }

  async #close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => {
      this.abort(new HawserError('connection_terminated', 'the edge is closing'))
    }, graceMs)
    await this.drain()
    clearTimeout(timer)
    for (const socket of this.#connections.values()) socket.destroy()
    await this.#stopped
  }

  get #helloTimeoutMs(): number {
    return this.#options.helloTimeoutMs ?? HELLO_TIMEOUT_MS
  }

  #accept(tcp: Socket): void {
    const key = addressOf(tcp)
    tcp.on('error', ignore) // the TLS connection over it tells
    if (this.#strangers.size >= (this.#options.maxStrangers ?? MAX_STRANGERS)) {
      this.#intruders.refused(DOOR, new HawserError('connection_limit_reached', 'too many connections without a hello'))
      tcp.destroy()
      return
    }
    this.#connections.set(key, tcp)
    this.#strangers.add(tcp)
    tcp.once('close', () => {
      if (this.#connections.get(key) === tcp) this.#connections.delete(key)
      this.#strangers.delete(tcp)
    })
    this.#tls.emit('connection', tcp)
  }

  /** From the TLS handshake to a door. */
  async #greet(socket: TLSSocket): Promise<void> {
    socket.on('error', ignore) // stays: between two owners an error must not go uncaught
    const tcp = this.#tcpOf(socket)
    if (tcp === undefined) return void socket.destroy()
    // What ends a connection with a reset, for TLS has none of its own. Its TLS layer goes down with it.
    // While it waits to send its end it cannot be reset, and Node would forget to close it; cut off without a farewell of TLS
    // is as plain to the client.
    socket.resetAndDestroy = () => {
      if (socket.writableEnded && !socket.writableFinished) tcp.destroy()
      else tcp.resetAndDestroy()
      return socket
    }
    try {
      if (socket.alpnProtocol !== CLIENT_ALPN) throw new HawserError('tls_protocol_error', 'no ALPN protocol of ours')
      const line = await readHello(socket, this.#helloTimeoutMs)
      const grant = await this.#access.admit(parseHello(line), clientBinding(socket))
      if (socket.destroyed) return undefined
      if (this.#draining !== undefined) throw new HawserError('destination_unavailable', 'the edge is closing')
      this.#strangers.delete(tcp)
      this.#doorFor(grant).take(socket)
    } catch (error) {
      const reason = HawserError.from(error, 'proxy_internal_error')
      this.#refused(tcp, reason)
      refuseClient(socket, reason)
    }
    return undefined
  }

  #doorFor(grant: Grant): ClientDoor {
    const { client, target } = grant
    const id = target.kind === 'network' ? target.tunnelId : target.service.id
    const key = `${client.id} ${target.kind} ${id}`
    const present = this.#doors.get(key)
    if (present !== undefined) return present.door
    const door = new ClientDoor(bindingFor(grant, this.#options.services, this.#options.tls), this.#intruders)
    this.#doors.set(key, { clientId: client.id, door })
    return door
  }

  /** Once a connection, whatever else goes wrong with it. */
  #refused(tcp: Socket, reason: HawserError): void {
    if (!this.#strangers.delete(tcp) || this.#draining !== undefined) return
    this.#intruders.refused(DOOR, reason)
  }

  #tcpOf(socket: TLSSocket): Socket | undefined {
    return this.#connections.get(addressOf(socket))
  }
}

function addressOf({ remoteAddress, remotePort }: Socket): string {
  return formatHostPort({ host: remoteAddress ?? 'unknown', port: remotePort ?? 0 })
}

function secureContext({ certPem, keyPem }: ClientCertificate): { minVersion: 'TLSv1.3'; cert: string; key: string } {
  return { minVersion: 'TLSv1.3', cert: certPem, key: keyPem.reveal() }
}

function ignore(): void {}
