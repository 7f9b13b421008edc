import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { formatHostPort, HawserError, systemCode } from '@hawser/core'
import type { HostPort, Logger } from '@hawser/core'
import { getRequestListener, RequestError } from '@hono/node-server'
import { failure, failureBody } from './envelope.ts'
import { API_ERRORS } from './errors.ts'
import type { ApiError } from './errors.ts'

export interface ServeApiOptions {
  /** What `createApi` returned. */
  readonly app: { fetch(request: Request): Response | Promise<Response> }
  /** Port 0 takes a free one. */
  readonly listen: HostPort
  readonly logger: Logger
}

/** A listening control API. */
export interface ServedApi extends AsyncDisposable {
  /** As bound: the real port where 0 was asked for. */
  readonly address: HostPort
  /** Takes no more requests, lets those under way finish for two seconds, then cuts them. Safe to call twice. */
  close(): Promise<void>
}

/** A head or a body that takes longer is somebody holding a socket, not a client of this API. */
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
/** How often Node looks for requests past their time. */
const TIMEOUT_CHECK_MS = 5_000
/** More are closed as they come. The clients are commands and a page, not Workers. */
const MAX_CONNECTIONS = 512
const CLOSE_GRACE_MS = 2_000

/**
 * Serves the control API over HTTP/1.1. Clear text: on anything but loopback it belongs behind something that speaks TLS.
 *
 * @throws {HawserError} `listen_failed` naming `--api` and the address
 */
export async function serveApi(options: ServeApiOptions): Promise<ServedApi> {
  const server = httpServer(options)
  await bind(server, options.listen)
  // Out of file descriptors, say: the listener stays and takes connections again later.
  server.on('error', (error) =>
    options.logger.error('api: cannot accept', { reason: systemCode(error) ?? error.message }),
  )
  const { address, port } = server.address() as AddressInfo
  return new HttpApi(server, { host: address, port })
}

function httpServer({ app, logger }: ServeApiOptions): Server {
  const answer = getRequestListener((request) => app.fetch(request), {
    overrideGlobalObjects: false, // other parts of this process use the real Request and Response
    errorHandler: (error) => failure(unserved(error, logger)),
  })
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => void answer(request, response)
  const limits = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
  }
  const server = createServer(limits, onRequest)
  server.maxConnections = MAX_CONNECTIONS
  server.on('clientError', (error: Error, socket: Socket) => refuse(error, socket, logger))
  return server
}

/** Why a request did not get as far as the app, or not out of it: the app itself answers for all that happens inside. */
function unserved(error: unknown, logger: Logger): ApiError {
  if (error instanceof RequestError) {
    return { ...API_ERRORS.badRequest, message: 'The request target or Host is not valid' }
  }
  logger.error('api: a request failed', { reason: error instanceof Error ? error.message : String(error) })
  return API_ERRORS.internal
}

/** What is no HTTP, or takes too long to become it, gets one answer and one line, without a byte of what it sent. */
function refuse(error: Error, socket: Socket, logger: Logger): void {
  const reason = systemCode(error) ?? error.name
  // A peer that went away in the middle is no news; neither is a second fault on a socket that is being ended.
  if (reason === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  logger.warn('api: refused a connection that sent no valid request', { peer: socket.remoteAddress, reason })
  const body = failureBody({ ...API_ERRORS.badRequest, message: 'Not a valid HTTP request' })
  const head = 'HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n'
  socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  socket.destroySoon()
}

async function bind(server: Server, { host, port }: HostPort): Promise<void> {
  server.listen({ host, port })
  try {
    await once(server, 'listening')
  } catch (cause) {
    const what = `--api ${formatHostPort({ host, port })}`
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HawserError('listen_failed', `${what} cannot be listened on: ${reason}`, { cause })
  }
}

class HttpApi implements ServedApi {
  readonly address: HostPort
  readonly #server: Server
  #closing: Promise<void> | undefined

  constructor(server: Server, address: HostPort) {
    this.#server = server
    this.address = address
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#shutDown())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #shutDown(): Promise<void> {
    return new Promise((resolve) => {
      const cut = setTimeout(() => this.#server.closeAllConnections(), CLOSE_GRACE_MS)
      this.#server.close(() => {
        clearTimeout(cut)
        resolve()
      })
    })
  }
}
