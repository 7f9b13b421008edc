import { request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { EdgeAgent } from './edge-agent.ts'
import { linkFailed, proxyError, readFailure } from './proxy-error.ts'

/** The header by which an edge says that an answer is its own. It removes it from every answer of a target. */
const ERROR_HEADER = 'hawser-error'
const MAX_REASON_BYTES = 65_536
/** What the edge takes of targets. */
const MAX_HEADER_BYTES = 131_072
/** Fields that Node's `fetch()` adds by itself and a Worker's does not. */
const ADDED: ReadonlySet<string> = new Set(['sec-fetch-mode', 'accept-language'])

/** What `fetch()` wants sent; see the documentation of undici, `Dispatcher.dispatch()`. */
export interface DispatchOptions {
  readonly origin?: string | URL | undefined
  readonly path: string
  readonly method: string
  readonly headers?: unknown
  readonly body?: unknown
}

/** Whom `fetch()` wants told; as there. */
export interface DispatchHandler {
  onConnect(abort: (reason?: unknown) => void): void
  onHeaders(status: number, headers: Buffer[], resume: () => void, statusText: string): boolean
  onData(chunk: Buffer): boolean
  onComplete(trailers: Buffer[]): void
  onError(error: unknown): void
}

/**
 * What sends the requests of Node's own `fetch()` through an edge, in proxy form. All else that `fetch()` does, redirects and
 * content codings included, stays its own.
 */
export class EdgeDispatcher {
  readonly #agent: EdgeAgent
  readonly #edge: string

  constructor(agent: EdgeAgent, edge: string) {
    this.#agent = agent
    this.#edge = edge
  }

  /** Called by `fetch()`, once for each request: for each hop of a redirect. */
  dispatch(options: DispatchOptions, handler: DispatchHandler): boolean {
    const exchange = new Exchange(handler, this.#edge)
    try {
      const path = `${String(options.origin)}${options.path}`
      const headers = headersOf(options.headers)
      const { method } = options
      const way = { agent: this.#agent, host: 'edge.hawser', port: 1, setHost: false } as const // where, knows the agent
      const request = httpRequest({ ...way, method, path, headers, maxHeaderSize: MAX_HEADER_BYTES })
      exchange.send(request, options.body)
    } catch (error) {
      handler.onError(error)
    }
    return true
  }
}

/** One request and its answer. The first thing that ends it counts. */
class Exchange {
  readonly #handler: DispatchHandler
  readonly #edge: string
  #over = false

  constructor(handler: DispatchHandler, edge: string) {
    this.#handler = handler
    this.#edge = edge
  }

  send(request: ClientRequest, body: unknown): void {
    const fail = (error: unknown): void => {
      if (this.#over) return
      this.#over = true
      request.destroy()
      this.#handler.onError(error)
    }
    this.#handler.onConnect((reason) => fail(reason))
    request.on('response', (response) => this.#answer(response, fail))
    request.on('error', (error) => fail(proxyError(linkFailed(this.#edge, error))))
    sendBody(request, body).catch(fail)
  }

  #answer(response: IncomingMessage, fail: (error: unknown) => void): void {
    response.on('error', (error) => {
      fail(proxyError({ code: 'http_response_incomplete', message: error.message, cause: error }))
    })
    const code = response.headers[ERROR_HEADER]
    if (code !== undefined) {
      readReason(response, String(code)).then(fail, fail)
      return
    }
    const raw = response.rawHeaders.map((text) => Buffer.from(text, 'latin1'))
    const resume = (): void => void response.resume()
    const wanted = this.#handler.onHeaders(response.statusCode ?? 0, raw, resume, response.statusMessage ?? '')
    response.on('data', (chunk: Buffer) => {
      if (!this.#over && !this.#handler.onData(chunk)) response.pause()
    })
    response.on('end', () => {
      if (this.#over) return
      this.#over = true
      this.#handler.onComplete([])
    })
    if (!wanted) response.pause()
  }
}

/** An answer of the edge's own, as the error it stands for (V-037). */
async function readReason(response: IncomingMessage, code: string): Promise<Error> {
  let text = ''
  for await (const chunk of response) {
    text += String(chunk)
    if (text.length > MAX_REASON_BYTES) break
  }
  return proxyError(readFailure(text) ?? { code, message: code })
}

/** Nothing, text or bytes, or chunks as they come: then no further than the edge takes them. */
async function sendBody(request: ClientRequest, body: unknown): Promise<void> {
  if (isIterable(body)) {
    for await (const chunk of body) {
      if (request.destroyed) return
      if (!request.write(chunk)) await drained(request)
    }
    request.end()
  } else if (body === undefined || body === null) request.end()
  else request.end(body as Uint8Array)
}

function drained(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      request.off('drain', done)
      request.off('close', done)
      resolve()
    }
    request.on('drain', done)
    request.on('close', done)
  })
}

function isIterable(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}

/** `fetch()` gives an object of names and values. */
function headersOf(headers: unknown): Record<string, string> {
  const entries = Object.entries((headers ?? {}) as Record<string, string>)
  return Object.fromEntries(entries.filter(([name]) => !ADDED.has(name.toLowerCase())))
}
