import { connect, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { formatHostPort, HawserError, splice, systemCode } from '@hawser/core'
import type { HostPort } from '@hawser/core'
import { RequestWatch } from './request-watch.ts'
import type { EndedRequest } from './request-watch.ts'

/** Connections that wait while the Worker is served anew; those beyond are turned away. */
const MAX_WAITING = 1_000

/** What becomes of connections: they wait, go to workerd, or are told why there is nothing to go to. */
type State =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'open'; readonly to: HostPort }
  | { readonly kind: 'failed'; readonly message: string }

const UNAVAILABLE = 503

/** HTTP, for what else should ask: the text of the failure, to be read by the developer. */
function failureAnswer(message: string): string {
  const body = Buffer.from(`${message}\n`)
  const head = `HTTP/1.1 ${UNAVAILABLE} Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 1\r\n`
  return `${head}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body.toString()}`
}

/**
 * The address at which a Worker answers, whichever workerd is behind it now. Between one and the next, connections wait:
 * a browser that asks during a reload gets its answer from the new version.
 */
export class Gate implements AsyncDisposable {
  readonly address: HostPort
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Since when each of them waits. */
  readonly #waiting = new Map<Socket, number>()
  readonly #onRequest: (request: EndedRequest) => void
  #state: State = { kind: 'waiting' }
  #closing: Promise<void> | undefined

  private constructor(server: Server, address: HostPort, onRequest: (request: EndedRequest) => void) {
    this.#server = server
    this.#onRequest = onRequest
    this.address = address
    server.on('connection', (socket) => this.#accept(socket))
  }

  /**
   * @param onRequest told of each request once it is over
   * @throws {HawserError} `listen_failed`
   */
  static async open(listen: HostPort, onRequest: (request: EndedRequest) => void = ignore): Promise<Gate> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        const reason = systemCode(error) === 'EADDRINUSE' ? 'address already in use' : error.message
        reject(new HawserError('listen_failed', `${formatHostPort(listen)}: ${reason}`, { cause: error }))
      })
      server.listen(listen, () => resolve())
    })
    const bound = server.address()
    const port = typeof bound === 'object' && bound !== null ? bound.port : listen.port
    return new Gate(server, { host: listen.host, port }, onRequest)
  }

  /** New connections wait from here on. */
  hold(): void {
    this.#state = { kind: 'waiting' }
  }

  /** Connections go there from here on, those that wait first. */
  pass(to: HostPort): void {
    this.#state = { kind: 'open', to }
    this.#release()
  }

  /** Connections are answered with `message` from here on. */
  refuse(message: string): void {
    this.#state = { kind: 'failed', message }
    this.#release()
  }

  /** Ends all connections and stops listening, now. Idempotent. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const closed = [...this.#sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)))
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all([stopped, ...closed])
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', ignore)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#waiting.delete(socket)
    })
    if (this.#waiting.size >= MAX_WAITING) socket.resetAndDestroy()
    else this.#place(socket)
  }

  #place(socket: Socket, since?: number): void {
    const state = this.#state
    if (state.kind === 'waiting') {
      this.#waiting.set(socket, since ?? performance.now())
    } else if (state.kind === 'failed') {
      this.#refuse(socket, new RequestWatch(this.#onRequest, since), state.message)
    } else {
      this.#join(socket, new RequestWatch(this.#onRequest, since), state.to)
    }
  }

  #release(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const [socket, since] of waiting) this.#place(socket, since)
  }

  #refuse(socket: Socket, watch: RequestWatch, message: string): void {
    // Read, too: a request that nobody reads would be answered with a reset.
    socket.on('data', (data) => {
      watch.received(data)
      watch.refuse(UNAVAILABLE)
    })
    socket.resume()
    socket.end(failureAnswer(message))
  }

  #join(socket: Socket, watch: RequestWatch, to: HostPort): void {
    const inner = connect({ ...to, noDelay: true, allowHalfOpen: true })
    this.#sockets.add(inner)
    inner.on('error', ignore)
    inner.once('close', () => this.#sockets.delete(inner))
    // Whichever ends first is the one that tells how; at the end of all it is this side.
    const onGone = (): void => (this.#closing === undefined ? watch.clientGone() : watch.answersEnded())
    socket.on('data', (data) => watch.received(data))
    inner.on('data', (data) => watch.sent(data))
    for (const event of ['error', 'end', 'close'] as const) {
      socket.on(event, onGone)
      inner.on(event, () => watch.answersEnded())
    }
    splice(socket, inner, { forward: 0, backward: 0 }).catch(ignore) // how either ends is all there is to pass on
    socket.resume() // it came paused, so that it could wait
  }
}

function ignore(): void {}
