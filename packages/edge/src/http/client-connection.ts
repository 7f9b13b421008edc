import type { Socket } from 'node:net'
import { countRead, HawserError } from '@hawser/core'
import { BodyReader, requestFraming } from './body-reader.ts'
import { HeadReader, parseRequestHead } from './head.ts'
import type { RequestHead } from './head.ts'

/** Takes the body of one request, and word of the Worker's side while the answer is under way. */
export interface RequestSink {
  /** Called once, when the head and what arrived with it have been handed over: now begin to answer. */
  start(): void
  onRequestPayload(payload: Buffer): void
  onRequestEnd(): void
  /** The Worker has gone: its connection ended, failed or was closed. */
  onClientGone(reason: HawserError): void
  /** The answer may go on after a `write()` that returned false. */
  onClientDrain(): void
}

/** What a door does with what arrives on one of its connections. */
export interface ClientHandlers {
  /** A request has begun. The sink gets its body; `release()` ends the exchange. */
  onRequest(client: ClientConnection, head: RequestHead): RequestSink
  /** Takes over the socket, paused, with what came after the head. The authority is text from outside. */
  onConnect(authority: string, socket: Socket, early: Buffer | undefined): void
  /** What arrived is not HTTP, or was too slow. The connection is being closed already. */
  onRefused(reason: HawserError): void
}

export interface ClientLimits {
  readonly maxHeadBytes: number
  /** How long a header section may take from its first byte to its last; and the first one from the connection on. */
  readonly headTimeoutMs: number
}

/** Reads the requests of one connection from a Worker, strictly one after the other. */
export class ClientConnection {
  readonly socket: Socket
  readonly #handlers: ClientHandlers
  readonly #limits: ClientLimits
  readonly #heads: HeadReader
  #headTimer: NodeJS.Timeout | undefined
  #sink: RequestSink | undefined
  #starting: RequestSink | undefined
  #body: BodyReader | undefined
  /** Between a request's head and its `release()`. */
  #busy = false
  #closeAfterCall = false
  /** What came behind the request under way: a second one, held until the first is answered. */
  #held: Buffer | undefined
  readonly #onPayload = (payload: Buffer): void => this.#sink?.onRequestPayload(payload)

  constructor(socket: Socket, handlers: ClientHandlers, limits: ClientLimits) {
    this.socket = socket
    this.#handlers = handlers
    this.#limits = limits
    this.#heads = new HeadReader(limits.maxHeadBytes)
    this.#limitHead()
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('close', this.#onClose)
    socket.on('error', this.#onError)
    socket.on('drain', this.#onDrain)
  }

  /** Whether a request is being answered. */
  get busy(): boolean {
    return this.#busy
  }

  /** Stops the body of the request under way. */
  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    if (this.#held === undefined) this.socket.resume()
  }

  /** The answer is complete. What is left of the request's body is read and dropped, so that the answer can be read too. */
  release(): void {
    this.#sink = undefined
    this.#busy = false
    if (this.#closeAfterCall) {
      this.socket.end(() => this.socket.destroy())
      return
    }
    const held = this.#held
    this.#held = undefined
    this.socket.resume()
    if (held !== undefined) this.#onData(held)
  }

  /** Ends the connection so that the Worker sees its answer fail, not end. */
  destroy(): void {
    this.#sink = undefined
    this.socket.destroy()
  }

  /** Closes now if idle, else once the request under way is answered. */
  closeAfterCall(): void {
    this.#closeAfterCall = true
    if (!this.#busy) this.socket.destroy()
  }

  /** Hands the socket over, paused: it is read by someone else from now on. */
  detach(): { readonly socket: Socket; readonly early: Buffer | undefined } {
    const { socket } = this
    clearTimeout(this.#headTimer)
    socket.pause()
    socket.off('data', this.#onData)
    socket.off('end', this.#onEnd)
    socket.off('close', this.#onClose)
    socket.off('drain', this.#onDrain)
    // The error listener stays: between two owners an error must not go uncaught.
    this.#sink = undefined
    const early = this.#held
    this.#held = undefined
    return { socket, early }
  }

  readonly #onData = (chunk: Buffer): void => {
    countRead(chunk.length)
    try {
      this.#take(chunk)
    } catch (error) {
      return this.#refuse(HawserError.from(error, 'http_protocol_error'))
    }
    // Only now, so that a small request travels on as one write.
    const starting = this.#starting
    this.#starting = undefined
    return starting?.start()
  }

  #take(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#body !== undefined) {
        at = this.#body.read(chunk, at, this.#onPayload)
        this.#endBody()
      } else if (this.#busy) {
        this.#held = at === 0 ? chunk : chunk.subarray(at)
        return this.pause()
      } else {
        const head = this.#heads.read(chunk, at)
        if (head === undefined) return this.#limitHead()
        at = head.next
        if (this.#begin(parseRequestHead(head.text), at < chunk.length ? chunk.subarray(at) : undefined)) return
      }
    }
  }

  /** @returns true where the socket has been handed over */
  #begin(head: RequestHead, rest: Buffer | undefined): boolean {
    if (head.method === 'CONNECT') {
      const { socket } = this.detach()
      this.#handlers.onConnect(head.target, socket, rest)
      return true
    }
    clearTimeout(this.#headTimer)
    this.#headTimer = undefined
    this.#busy = true
    const framing = requestFraming(head)
    this.#body = new BodyReader(framing, head.fields.contentLength ?? 0)
    this.#sink = this.#handlers.onRequest(this, head)
    this.#starting = this.#sink
    this.#endBody()
    return false
  }

  #endBody(): void {
    if (this.#body?.done !== true) return
    this.#body = undefined
    this.#sink?.onRequestEnd()
  }

  #refuse(reason: HawserError): void {
    const sink = this.#sink
    this.detach()
    const status = reason.code === 'connection_read_timeout' ? '408 Request Timeout' : '400 Bad Request'
    if (sink === undefined) this.socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    this.socket.destroySoon()
    sink?.onClientGone(reason)
    this.#handlers.onRefused(reason)
  }

  readonly #onEnd = (): void => {
    this.#gone('the Worker ended its connection')
    if (this.#heads.started)
      this.#handlers.onRefused(new HawserError('http_protocol_error', 'the connection ended in a header'))
    this.socket.destroy()
  }

  readonly #onClose = (): void => this.#gone('the connection to the Worker closed')

  readonly #onError = (error: Error): void => this.#gone(error.message)

  readonly #onDrain = (): void => this.#sink?.onClientDrain()

  /** A timer of its own: one for silence would be reset by every byte of a header that trickles in. */
  #limitHead(): void {
    this.#headTimer ??= setTimeout(() => {
      this.#refuse(new HawserError('connection_read_timeout', 'no whole header in time'))
    }, this.#limits.headTimeoutMs).unref()
  }

  #gone(message: string): void {
    clearTimeout(this.#headTimer)
    const sink = this.#sink
    this.#sink = undefined
    sink?.onClientGone(new HawserError('connection_aborted', message))
  }
}
