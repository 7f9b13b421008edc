import { hash } from 'node:crypto'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { HawserError, parseAuthority } from '@hawser/core'
import type { HostPort, Secret } from '@hawser/core'
import { ClientConnection } from '../http/client-connection.ts'
import type { ClientHandlers, ClientLimits } from '../http/client-connection.ts'
import { SocketConnectCall } from './connect-call.ts'
import type { ConnectCall } from '../flow/context.ts'
import type { IntruderLog } from './intruder-log.ts'
import { listen, stopListening } from './listen.ts'

const LOOPBACK = '127.0.0.1'
/** A CONNECT from workerd is its request line and an empty line (S-248). */
const LIMITS: ClientLimits = { maxHeadBytes: 4_096, headTimeoutMs: 10_000 }
const DOOR = 'connect listener'

/** Takes the calls of one binding. */
export type TakeConnect = (call: ConnectCall) => void

/**
 * The TCP listener on loopback through which all bindings open connections: over a unix socket workerd takes a reset for
 * a clean end (S-245). Which binding calls is told by the capability in the authority, which only its module knows.
 */
export class ConnectListener {
  readonly address: HostPort
  readonly #server: Server
  readonly #intruders: IntruderLog
  /** By digest, so that finding one takes no time that depends on how much of a guess is right. */
  readonly #bindings = new Map<string, TakeConnect>()
  readonly #sockets = new Set<Socket>()
  #closing: Promise<void> | undefined

  private constructor(server: Server, intruders: IntruderLog, address: HostPort) {
    this.#server = server
    this.#intruders = intruders
    this.address = address
    server.on('connection', (socket) => this.#accept(socket))
  }

  /** @throws {HawserError} `listen_failed` */
  static async open(intruders: IntruderLog): Promise<ConnectListener> {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    // Loopback and nothing else: by construction nobody on another machine gets as far as a capability.
    await listen(server, { host: LOOPBACK, port: 0 }, `${LOOPBACK}:0`)
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    return new ConnectListener(server, intruders, { host: LOOPBACK, port })
  }

  register(capability: Secret, take: TakeConnect): void {
    this.#bindings.set(digest(capability.reveal()), take)
  }

  unregister(capability: Secret): void {
    this.#bindings.delete(digest(capability.reveal()))
  }

  /** Stops listening; connections under way end by themselves or with {@link abort}. */
  close(): Promise<void> {
    return (this.#closing ??= stopListening(this.#server))
  }

  abort(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    void new ClientConnection(socket, this.#handlers, LIMITS)
  }

  readonly #handlers: ClientHandlers = {
    onRequest: (client) => ({
      start: () => {
        client.closeAfterCall()
        client.socket.write(
          'HTTP/1.1 405 Method Not Allowed\r\nAllow: CONNECT\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
        )
        client.release()
        this.#intruders.refused(DOOR, new HawserError('http_request_error', 'a request other than CONNECT'))
      },
      onRequestPayload: () => {},
      onRequestEnd: () => {},
      onClientGone: () => {},
      onClientDrain: () => {},
    }),
    onConnect: (authority, socket, early) => this.#connect(authority, socket, early),
    onRefused: (reason) => this.#intruders.refused(DOOR, reason),
  }

  #connect(text: string, socket: Socket, early: Buffer | undefined): void {
    const authority = parseAuthority(text)
    const take = authority && this.#bindings.get(digest(authority.capability))
    if (authority === undefined || take === undefined) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      socket.destroySoon()
      // Its text stays out of the log: it may be a capability that was mistyped.
      this.#intruders.refused(
        DOOR,
        new HawserError('unauthorized', 'a CONNECT without a capability of an open binding'),
      )
      return
    }
    take(new SocketConnectCall(socket, { ...authority, callId: authority.id }, early))
  }
}

function digest(capability: string): string {
  return hash('sha256', capability, 'base64')
}
