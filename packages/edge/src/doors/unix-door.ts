import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { FLOWS_HOST, HawserError } from '@hawser/core'
import type { ConnectCall, FlowBinding } from '../flow/context.ts'
import { ClientConnection } from '../http/client-connection.ts'
import type { ClientHandlers, ClientLimits, RequestSink } from '../http/client-connection.ts'
import { FetchCall } from '../http/fetch-call.ts'
import { MAX_HEAD_BYTES } from '../http/head.ts'
import type { RequestHead } from '../http/head.ts'
import { parseRequestUrl } from '../http/request-url.ts'
import { SocketConnectCall } from './connect-call.ts'
import type { IntruderLog } from './intruder-log.ts'
import { listen, stopListening } from './listen.ts'
import { answerItself, answerModule } from './own-answers.ts'

/** No limit on a whole request: an upload may take as long as it takes. */
const LIMITS: ClientLimits = { maxHeadBytes: MAX_HEAD_BYTES, headTimeoutMs: 30_000 }

export interface UnixDoorOptions {
  readonly path: string
  readonly binding: Pick<FlowBinding, 'identity' | 'failures' | 'open' | 'upgrades'>
  readonly intruders: IntruderLog
  /** Begins the flow of one call. */
  readonly take: (call: ConnectCall | FetchCall) => void
}

/** The unix socket of one binding: proxy-form HTTP/1.1 for `fetch()`, and CONNECT. Arriving here is the identity. */
export class UnixDoor {
  readonly path: string
  readonly #options: UnixDoorOptions
  readonly #name: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #clients = new Set<ClientConnection>()
  #closing: Promise<void> | undefined

  private constructor(options: UnixDoorOptions, server: Server) {
    this.path = options.path
    this.#options = options
    const { worker, binding } = options.binding.identity
    this.#name = `socket of ${worker}/${binding}`
    this.#server = server
    server.on('connection', (socket) => this.#accept(socket))
  }

  /** @throws {HawserError} `listen_failed` */
  static async open(options: UnixDoorOptions): Promise<UnixDoor> {
    const server = createServer({ allowHalfOpen: true })
    await listen(server, { path: options.path }, options.path)
    return new UnixDoor(options, server)
  }

  /** Takes no new connection and no new request; resolves once all connections are gone. */
  close(): Promise<void> {
    return (this.#closing ??= this.#stop())
  }

  abort(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async #stop(): Promise<void> {
    const stopped = stopListening(this.#server)
    for (const client of this.#clients) client.closeAfterCall()
    await stopped
    await rm(this.path, { force: true })
  }

  #accept(socket: Socket): void {
    const client = new ClientConnection(socket, this.#handlers, LIMITS)
    this.#sockets.add(socket)
    this.#clients.add(client)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#clients.delete(client)
    })
  }

  readonly #handlers: ClientHandlers = {
    onRequest: (client, head) => this.#request(client, head),
    onConnect: (authority, socket, early) => this.#connect(authority, socket, early),
    onRefused: (reason) => this.#options.intruders.refused(this.#name, reason),
  }

  #request(client: ClientConnection, head: RequestHead): RequestSink {
    try {
      const url = parseRequestUrl(head.target)
      const { binding } = this.#options
      const { identity } = binding
      if (url.origin.host === FLOWS_HOST) return answerModule(client, head.method, url.path, binding)
      return new FetchCall(client, head, url, {
        start: this.#options.take,
        strictUpgrade: identity.network.kind !== 'public',
      })
    } catch (error) {
      const reason = HawserError.from(error, 'http_request_error')
      this.#options.intruders.refused(this.#name, reason)
      client.closeAfterCall()
      return answerItself(client, '400 Bad Request', `${reason.message}\n`, 'Connection: close\r\n')
    }
  }

  #connect(authority: string, socket: Socket, early: Buffer | undefined): void {
    const match = /^(.+):(\d{1,5})$/s.exec(authority)
    const port = Number(match?.[2])
    if (match === null || port > 65_535) {
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      socket.destroySoon()
      this.#options.intruders.refused(this.#name, new HawserError('address_invalid', 'a CONNECT without host and port'))
      return
    }
    this.#options.take(
      new SocketConnectCall(socket, { host: match[1] ?? '', port, operation: 'c', callId: undefined }, early),
    )
  }
}
