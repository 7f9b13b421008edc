import { createServer } from 'node:http'
import type { RequestListener, Server as HttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import { HawserError, resetStream, systemCode } from '@hawser/core'
import type { ServeOptions } from './hawser.ts'
import { checkScript, playScript } from './script.ts'
import type { HttpHandler, ServiceHandler, TcpHandler } from './service-handler.ts'

/** Told of everything that goes wrong in a handler. */
export type OnFailed = (error: unknown) => void

/** Where a service of a test listens in truth. */
const LOOPBACK = '127.0.0.1'
/** How the other side ends a connection is for flows to tell: a handler that is told of it has not failed. */
const ENDED: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'])

function isScript(handler: ServiceHandler): handler is Extract<ServiceHandler, readonly unknown[]> {
  return Array.isArray(handler)
}

async function httpListener(handler: HttpHandler, onFailed: OnFailed): Promise<RequestListener> {
  const { getRequestListener } = await import('@hono/node-server') // not before it is needed: it takes time to load
  const listen = getRequestListener((request) => handler.fetch(request), {
    overrideGlobalObjects: false,
    errorHandler: (error) => {
      onFailed(error)
      return new Response(error instanceof Error ? error.message : String(error), { status: 500 })
    },
  })
  return (request, response) => void listen(request, response)
}

async function serveTcp(handler: TcpHandler, socket: Socket, onFailed: OnFailed): Promise<void> {
  try {
    await handler(socket)
  } catch (error) {
    if (!ENDED.has(systemCode(error))) onFailed(error)
    resetStream(socket)
  }
}

/** @throws {HawserError} `options_invalid` for what is no handler */
function checkHandler(handler: unknown): void {
  if (typeof handler === 'function') return
  if (Array.isArray(handler)) return checkScript(handler)
  if (typeof handler === 'object' && handler !== null && 'fetch' in handler && typeof handler.fetch === 'function')
    return
  throw new HawserError(
    'options_invalid',
    `serve(): the handler must be a function, an object with fetch(), or an array of steps, got ${JSON.stringify(handler)}`,
  )
}

/** One server behind a private address, on a free port of this machine. */
export class PrivateService implements AsyncDisposable {
  /** Resolves to the port once connections are taken. */
  readonly listening: Promise<number>
  readonly #sockets = new Set<Socket>()
  /** Scripts, then handlers of connections, that have not come to their end. */
  readonly #playing = new Set<Promise<void>>()
  readonly #serving = new Set<Promise<void>>()
  #server: Server | HttpServer | undefined
  #closing: Promise<void> | undefined

  /** @throws {HawserError} `options_invalid` */
  constructor(handler: ServiceHandler, options: ServeOptions, onFailed: OnFailed) {
    checkHandler(handler)
    this.listening = this.#open(handler, options, onFailed)
    this.listening.catch(() => {}) // told to whoever connects
  }

  /** Resolves once every script under way has been played, or after `limitMs`. */
  played(limitMs: number): Promise<void> {
    return settled(this.#playing, limitMs)
  }

  /** Takes no new connection, and gives handlers of those that there are up to `limitMs` to come to their end. */
  async drain(limitMs: number): Promise<void> {
    await this.listening.catch(() => {})
    this.#server?.close()
    await settled(this.#serving, limitMs)
  }

  /** Ends its connections and stops listening, now. Idempotent. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #open(handler: ServiceHandler, options: ServeOptions, onFailed: OnFailed): Promise<number> {
    const server = await this.#create(handler, options, onFailed)
    this.#server = server
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(HawserError.from(error, 'listen_failed')))
      server.listen(0, LOOPBACK, resolve)
    })
    const bound = server.address()
    if (typeof bound !== 'object' || bound === null) throw new HawserError('listen_failed', 'the service has no port')
    return bound.port
  }

  async #create(handler: ServiceHandler, { tls }: ServeOptions, onFailed: OnFailed): Promise<Server | HttpServer> {
    if ('fetch' in handler) {
      const listen = await httpListener(handler, onFailed)
      return tls === undefined ? createServer(listen) : createHttpsServer(tls, listen)
    }
    const serve = (socket: Socket): void => {
      socket.on('error', () => {}) // see ENDED
      if (isScript(handler)) keep(this.#playing, playScript(socket, handler, onFailed))
      else keep(this.#serving, serveTcp(handler, socket, onFailed))
    }
    const options = { allowHalfOpen: isScript(handler), noDelay: true }
    return tls === undefined ? createTcpServer(options, serve) : createTlsServer({ ...tls, ...options }, serve)
  }

  async #close(): Promise<void> {
    await this.listening.catch(() => {})
    const server = this.#server
    if (server === undefined) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

/** In `tasks` for as long as it runs. */
function keep(tasks: Set<Promise<void>>, task: Promise<void>): void {
  tasks.add(task)
  void task.finally(() => tasks.delete(task))
}

async function settled(tasks: ReadonlySet<Promise<void>>, limitMs: number): Promise<void> {
  if (tasks.size === 0) return
  const stop = new AbortController()
  const limit = delay(limitMs, undefined, { signal: stop.signal }).catch(() => {})
  await Promise.race([Promise.all(tasks), limit])
  stop.abort()
}
