import type { Duplex } from 'node:stream'
import { HawserError, resetStream, splice } from '@hawser/core'
import type { FlowHttp, FlowRecord } from '@hawser/core'
import { FlowBytes } from '../flow/flow-bytes.ts'
import { requestFraming } from './body-reader.ts'
import type { Framing } from './body-reader.ts'
import { BodyWriter } from './body-writer.ts'
import type { ClientConnection, RequestSink } from './client-connection.ts'
import type { RequestHead, ResponseHead } from './head.ts'
import type { RequestUrl } from './request-url.ts'
import type { ResponseSink, Upstream } from './upstream.ts'
import { errorAnswer } from './error-answer.ts'
import { requestText, responseText, upgradeText } from './wire.ts'

/** Body bytes held while the target is being dialled; then the Worker is made to wait. */
const MAX_EARLY_BYTES = 65_536
/** A target that has answered in full may pause this long in taking the rest of the request. */
const LINGER_MS = 30_000
/** RFC 9110 section 9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

export interface FetchCallOptions {
  /** Begins the flow; called once. */
  readonly start: (call: FetchCall) => void
  /** Whether an answer other than 101 to a request for an upgrade fails the call. */
  readonly strictUpgrade: boolean
}

/** One request of a Worker and its answer, moved between the Worker's connection and one to the target. */
export class FetchCall implements RequestSink, ResponseSink {
  readonly kind = 'fetch'
  readonly head: RequestHead
  readonly url: RequestUrl
  readonly client: ClientConnection
  /** Called when the Worker gives up before {@link forward} has been called. */
  onGone: ((reason: HawserError) => void) | undefined
  readonly #options: FetchCallOptions
  readonly #framing: Framing
  #flow: FlowRecord | undefined
  #upstream: Upstream | undefined
  #toTarget: BodyWriter | undefined
  #toWorker: BodyWriter | undefined
  #settle: ((error?: HawserError) => void) | undefined
  #early: Buffer[] = []
  #earlyBytes = 0
  #bodySent = false
  #requestEnded = false
  #headSent = false
  #responseEnded = false
  #corked = false
  #linger: NodeJS.Timeout | undefined

  constructor(client: ClientConnection, head: RequestHead, url: RequestUrl, options: FetchCallOptions) {
    this.client = client
    this.head = head
    this.url = url
    this.#options = options
    this.#framing = requestFraming(head)
  }

  get method(): string {
    return this.head.method
  }

  /**
   * Whether a failed {@link forward} may be repeated on another connection: nothing of the body has left and doing the
   * request twice does no harm.
   */
  get repeatable(): boolean {
    return !this.#headSent && !this.#bodySent && IDEMPOTENT.has(this.head.method)
  }

  start(): void {
    this.#options.start(this)
  }

  /**
   * Sends the request over `upstream` and the answer back. Resolves when both are done and the connection may carry
   * another request, or not, as it says itself.
   *
   * @throws {HawserError} `connection_aborted` when the Worker gives up, else what became of the target
   */
  forward(upstream: Upstream, flow: FlowRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#flow = flow
      this.#upstream = upstream
      this.#settle = (error) => {
        this.#settle = undefined
        clearTimeout(this.#linger)
        if (error === undefined) resolve()
        else reject(error)
      }
      upstream.begin(this)
      if (this.#upstream !== upstream) return // it was dead already
      this.#sendRequest(upstream.stream)
    })
  }

  /** Ends the call now, whatever it is doing. */
  abort(reason: HawserError): void {
    this.#upstream?.abort()
    this.#upstream = undefined
    this.#settle?.(reason)
  }

  /** Tells the Worker that the call failed: by an answer of the edge's own, or by cutting off the one under way. */
  refuse(error: HawserError, flow: FlowRecord): void {
    const { socket } = this.client
    if (socket.destroyed || socket.writableEnded) return
    if (this.#headSent) return this.client.destroy()
    socket.write(errorAnswer(error, flow, this.method), 'latin1')
    this.client.release()
  }

  #sendRequest(stream: Duplex): void {
    this.#toTarget = new BodyWriter(stream, this.#framing)
    const text = requestText(this.head, this.url, this.#framing)
    if (this.#early.length === 0 && this.#framing === 'none') {
      stream.write(text, 'latin1')
      return
    }
    stream.cork()
    stream.write(text, 'latin1')
    const early = this.#early
    this.#early = []
    this.#earlyBytes = 0
    for (const payload of early) this.#send(payload)
    if (this.#requestEnded) this.#toTarget.end()
    stream.uncork()
    if (stream.writableNeedDrain) this.client.pause()
    else this.client.resume()
  }

  #send(payload: Buffer): void {
    this.#bodySent = true
    if (this.#flow !== undefined) this.#flow.bytesSent += payload.length
    if (this.#toTarget?.write(payload) === false) this.client.pause()
  }

  // From the Worker

  onRequestPayload(payload: Buffer): void {
    if (this.#upstream !== undefined) {
      this.#linger?.refresh()
      return this.#send(payload)
    }
    if (this.#responseEnded) return undefined // the target has answered and gone
    this.#early.push(payload)
    this.#earlyBytes += payload.length
    if (this.#earlyBytes >= MAX_EARLY_BYTES) this.client.pause()
    return undefined
  }

  onRequestEnd(): void {
    this.#requestEnded = true
    if (this.#upstream === undefined) return
    this.#toTarget?.end()
    if (this.#responseEnded) this.#complete()
  }

  onClientGone(reason: HawserError): void {
    if (this.#settle === undefined) this.onGone?.(reason)
    else if (this.#responseEnded) this.#complete() // it has all it wanted
    else this.abort(reason)
  }

  onClientDrain(): void {
    this.#upstream?.stream.resume()
  }

  // From the target

  onUpstreamDrain(): void {
    this.#linger?.refresh()
    this.client.resume()
  }

  onInterim(head: ResponseHead): void {
    this.#write(responseText(head, 'none'))
  }

  onResponse(head: ResponseHead, framing: Framing): void {
    const flow = this.#flow
    if (flow?.http !== undefined) flow.http = withStatus(flow.http, head.status)
    if (this.head.fields.upgrade !== undefined && this.#options.strictUpgrade) {
      this.#upstream?.abort()
      return this.#fail(
        new HawserError('http_upgrade_failed', `the target answered ${head.status} and did not switch protocols`),
      )
    }
    const { socket } = this.client
    this.#headSent = true
    this.#toWorker = new BodyWriter(socket, framing === 'close' ? 'chunked' : framing)
    socket.cork() // until the batch ends: the head leaves with what body arrived with it
    this.#corked = true
    this.#write(responseText(head, framing))
    return undefined
  }

  onBatchEnd(): void {
    if (!this.#corked) return
    this.#corked = false
    this.client.socket.uncork()
  }

  onResponsePayload(payload: Buffer): void {
    if (this.#flow !== undefined) this.#flow.bytesReceived += payload.length
    if (this.#toWorker?.write(payload) === false) this.#upstream?.stream.pause()
  }

  onResponseEnd(): void {
    this.#toWorker?.end()
    this.#responseEnded = true
    if (this.#requestEnded) return this.#complete()
    // Answered early: the target may still want the rest, but an answer that nobody waits for must not hold a call open.
    this.#linger = setTimeout(() => {
      this.#upstream?.abort()
      this.#complete()
    }, LINGER_MS).unref()
    return undefined
  }

  onUpgrade(head: ResponseHead, stream: Duplex, early: Buffer | undefined): void {
    this.#upstream = undefined
    const flow = this.#flow
    if (this.head.fields.upgrade === undefined || flow === undefined) {
      resetStream(stream)
      return this.#fail(new HawserError('http_protocol_error', 'the target switched protocols without being asked'))
    }
    if (flow.http !== undefined) flow.http = withStatus(flow.http, 101)
    this.#headSent = true
    this.#write(upgradeText(head))
    const worker = this.client.detach()
    worker.socket.resume() // both in the next turn, when the splice listens
    stream.resume()
    if (early !== undefined) stream.unshift(early)
    if (worker.early !== undefined) worker.socket.unshift(worker.early)
    splice(worker.socket, stream, new FlowBytes(flow)).then(
      () => this.#settle?.(),
      (error: unknown) => this.#settle?.(HawserError.from(error, 'connection_terminated')),
    )
    return undefined
  }

  onUpstreamFailure(error: HawserError): void {
    this.#upstream = undefined
    if (this.#responseEnded) this.#complete()
    else this.#fail(error)
  }

  #write(text: string): void {
    this.client.socket.write(text, 'latin1')
  }

  #fail(error: HawserError): void {
    this.#upstream = undefined
    this.#settle?.(error)
  }

  /** The answer has been sent in full. A connection whose request did not leave in full cannot carry another one. */
  #complete(): void {
    if (this.#requestEnded) this.#upstream?.release()
    else this.#upstream?.abort()
    this.#upstream = undefined
    this.#early = []
    this.client.release()
    this.#settle?.()
  }
}

function withStatus({ method, path }: FlowHttp, status: number): FlowHttp {
  return { method, path, status }
}
