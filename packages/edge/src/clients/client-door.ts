import type { Socket } from 'node:net'
import { ERROR_HEADER, FLOWS_HOST, HawserError } from '@hawser/core'
import type { AuthorityOperation } from '@hawser/core'
import { SocketConnectCall } from '../doors/connect-call.ts'
import type { ConnectAddress } from '../doors/connect-call.ts'
import type { IntruderLog } from '../doors/intruder-log.ts'
import { answerItself, answerModule } from '../doors/own-answers.ts'
import { ClientConnection } from '../http/client-connection.ts'
import type { ClientHandlers, ClientLimits, RequestSink } from '../http/client-connection.ts'
import { FetchCall } from '../http/fetch-call.ts'
import { MAX_HEAD_BYTES } from '../http/head.ts'
import type { RequestHead } from '../http/head.ts'
import { parseRequestUrl } from '../http/request-url.ts'
import type { ClientBinding } from './client-binding.ts'

const LIMITS: ClientLimits = { maxHeadBytes: MAX_HEAD_BYTES, headTimeoutMs: 30_000 }
/**
 * As the authority of a Worker's CONNECT, but for the capability: the connection has proved whose it is.
 *
 *     <host>.<op>-<id>.hawser:<port>
 */
const AUTHORITY = /^(.+)\.([csut])-([a-z0-9]{1,32})\.hawser:(\d{1,5})$/s
const DOOR = 'clients listener'

/** Proxy-form HTTP/1.1 and CONNECT of one client to one target, on any number of its connections. */
export class ClientDoor {
  readonly #binding: ClientBinding
  readonly #intruders: IntruderLog
  /** Those that carry requests. */
  readonly #clients = new Map<Socket, ClientConnection>()
  readonly #sockets = new Set<Socket>()
  #closing: Promise<void> | undefined

  constructor(binding: ClientBinding, intruders: IntruderLog) {
    this.#binding = binding
    this.#intruders = intruders
  }

  /** Takes over a connection that was let in, paused. */
  take(socket: Socket): void {
    const client = new ClientConnection(socket, this.#handlers, LIMITS)
    this.#clients.set(socket, client)
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#clients.delete(socket)
      this.#sockets.delete(socket)
    })
    if (this.#closing !== undefined) client.closeAfterCall()
    socket.resume()
  }

  /** Takes no new request; resolves when the flows under way have ended. */
  drain(): Promise<void> {
    return (this.#closing ??= this.#drain())
  }

  /** Ends all flows and connections now. */
  abort(reason: HawserError): void {
    this.#binding.abort(reason)
    for (const socket of this.#sockets) socket.destroy()
  }

  #drain(): Promise<void> {
    for (const client of this.#clients.values()) client.closeAfterCall()
    return this.#binding.drain()
  }

  readonly #handlers: ClientHandlers = {
    onRequest: (client, head) => this.#request(client, head),
    onConnect: (authority, socket, early) => this.#connect(authority, socket, early),
    onRefused: (reason) => this.#intruders.refused(DOOR, reason),
  }

  #request(client: ClientConnection, head: RequestHead): RequestSink {
    try {
      const url = parseRequestUrl(head.target)
      if (url.origin.host === FLOWS_HOST) return answerModule(client, head.method, url.path, this.#binding)
      return new FetchCall(client, head, url, { start: this.#binding.take, strictUpgrade: true })
    } catch (error) {
      const reason = HawserError.from(error, 'http_request_error')
      client.closeAfterCall()
      const { status, fields, body } = refusal(reason)
      return answerItself(client, status, body, fields)
    }
  }

  #connect(authority: string, socket: Socket, early: Buffer | undefined): void {
    this.#clients.delete(socket) // from here on it belongs to a flow
    try {
      this.#binding.take(new SocketConnectCall(socket, parseClientAuthority(authority), early))
    } catch (error) {
      refuseClient(socket, HawserError.from(error, 'address_invalid'))
    }
  }
}

/** @throws {HawserError} `address_invalid` */
function parseClientAuthority(text: string): ConnectAddress {
  const [, host = '', operation = '', callId, digits] = AUTHORITY.exec(text) ?? []
  const port = Number(digits)
  if (callId === undefined || port > 65_535) throw new HawserError('address_invalid', 'a CONNECT of an unknown form')
  return { host, operation: operation as AuthorityOperation, callId, port }
}

function refusal(reason: HawserError): { status: string; fields: string; body: string } {
  const status = reason.code === 'unauthorized' ? '403 Forbidden' : '502 Bad Gateway'
  const fields = `${ERROR_HEADER}: ${reason.code}\r\nContent-Type: application/json\r\nConnection: close\r\n`
  return { status, fields, body: JSON.stringify({ code: reason.code, message: reason.message }) }
}

/** How long a refused client may take to read why. */
const REFUSAL_MS = 2_000

/** Tells a client why nothing comes of its connection, and ends that. */
export function refuseClient(socket: Socket, reason: HawserError): void {
  const { status, fields, body } = refusal(reason)
  const timer = setTimeout(() => socket.destroy(), REFUSAL_MS).unref()
  socket.once('close', () => clearTimeout(timer))
  socket.once('end', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status}\r\n${fields}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  socket.resume() // what is left unread would turn the end into a reset, which overtakes the answer
}
