import type { Duplex } from 'node:stream'
import { countRead, HawserError, resetStream } from '@hawser/core'
import type { Dialer, FlowRecord, FlowRoute } from '@hawser/core'
import { BodyReader, responseFraming } from './body-reader.ts'
import type { Framing } from './body-reader.ts'
import { hasOption } from './fields.ts'
import { HeadReader, parseResponseHead } from './head.ts'
import type { ResponseHead } from './head.ts'

/**
 * Takes the response to one request, until `release()`. `onUpgrade` and `onUpstreamFailure` come last; the latter also after
 * `onResponseEnd`, when the connection ends while the request is still being sent.
 */
export interface ResponseSink {
  readonly method: string
  /** A 1xx answer other than 101. */
  onInterim(head: ResponseHead): void
  onResponse(head: ResponseHead, framing: Framing): void
  /** @see BodyReader.read */
  onResponsePayload(payload: Buffer): void
  onResponseEnd(): void
  /** All that one read brought has been handed over; comes after the events above. */
  onBatchEnd(): void
  /** 101: from here on the connection is the caller's, beginning with `early`. */
  onUpgrade(head: ResponseHead, stream: Duplex, early: Buffer | undefined): void
  onUpstreamFailure(error: HawserError): void
  /** The request may go on after a `write()` that returned false. */
  onUpstreamDrain(): void
}

/** What is known of a connection from the time it was opened. */
export interface UpstreamFacts {
  /** The pool's key: scheme, host and port. */
  readonly origin: string
  readonly route: FlowRoute
  readonly tls: FlowRecord['tls']
  /** What opened it: a way that opens nothing new is about to go, and its connections with it. */
  readonly way?: Dialer | undefined
}

/** Idle connections of a server that names no limit are kept no longer than this. */
export const IDLE_LIMIT_MS = 15_000
/** A server's own limit is undercut by this much, so that its close does not cross a request. */
const IDLE_MARGIN_MS = 1_000
/** How long a target may take to end a connection that we have ended. */
const CLOSE_LIMIT_MS = 1_000

/** One HTTP/1.1 connection to a target: one request at a time, and between requests in the pool of one binding. */
export class Upstream {
  readonly facts: UpstreamFacts
  readonly stream: Duplex
  /** Requests sent so far, this one included. */
  uses = 0
  /** How long this connection may lie idle. */
  idleLimitMs: number = IDLE_LIMIT_MS
  /** Called once, when the connection has died or must not be used again. The pool listens. */
  onDead: (() => void) | undefined
  readonly #heads = new HeadReader()
  #sink: ResponseSink | undefined
  #body: BodyReader | undefined
  #framing: Framing = 'none'
  #keepAlive = false
  #answered = false // any byte of the answer to this request
  #complete = false // all of it
  #dead = false
  readonly #onPayload = (payload: Buffer): void => this.#sink?.onResponsePayload(payload)

  constructor(stream: Duplex, facts: UpstreamFacts) {
    this.stream = stream
    this.facts = facts
    stream.on('data', this.#onData)
    stream.on('end', this.#onEnd)
    stream.on('close', this.#onClose)
    stream.on('error', this.#onError)
    stream.on('drain', this.#onDrain)
  }

  /** False once the connection or its way has come to an end, or its last answer said that it must not carry another request. */
  get reusable(): boolean {
    const { way } = this.facts
    return !this.#dead && this.#keepAlive && way?.accepting !== false && way?.silent !== true
  }

  /** True where a request on a kept connection met its end without a byte in answer: the request may never have arrived. */
  get unanswered(): boolean {
    return !this.#answered
  }

  /** Directs what arrives from now on to `sink`. The caller then writes its request to {@link stream}. */
  begin(sink: ResponseSink): void {
    this.#sink = sink
    this.#body = undefined
    this.#answered = false
    this.#complete = false
    this.#keepAlive = false
    this.uses += 1
    this.stream.resume()
    // Found dead only now: its last event came before anyone was listening.
    if (this.#dead) this.#fail(undefined)
  }

  /** The request has left in full and the answer has come: nothing more is told of it. */
  release(): void {
    this.#sink = undefined
  }

  /** Releases the connection now; the target sees a reset where the transport knows one. */
  abort(): void {
    this.#sink = undefined
    this.#die()
    resetStream(this.stream)
  }

  /** Ends an idle connection the ordinary way: an end, not a reset, if the target answers it before long. */
  close(): void {
    this.#sink = undefined
    this.#die()
    const { stream } = this
    if (stream.destroyed || stream.writableEnded) return
    const timer = setTimeout(() => stream.destroy(), CLOSE_LIMIT_MS).unref()
    stream.once('close', () => clearTimeout(timer))
    stream.end()
    stream.resume()
  }

  readonly #onData = (chunk: Buffer): void => {
    countRead(chunk.length)
    const sink = this.#sink
    // Nobody asked, or an answer too many: whatever it is, it is not ours.
    if (sink === undefined || this.#complete) return this.#fail(undefined)
    this.#answered = true
    try {
      this.#take(chunk)
    } catch (error) {
      this.#fail(HawserError.from(error, 'http_protocol_error'))
    }
    return sink.onBatchEnd()
  }

  #take(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length && this.#sink !== undefined && !this.#complete) {
      if (this.#body === undefined) {
        const head = this.#heads.read(chunk, at)
        if (head === undefined) return
        at = head.next
        if (this.#onHead(parseResponseHead(head.text), chunk, at)) return
      } else {
        at = this.#body.read(chunk, at, this.#onPayload)
      }
      if (this.#body?.done === true) {
        if (at < chunk.length) this.#keepAlive = false // bytes after the answer: whatever they are, they are not ours
        this.#finish()
      }
    }
  }

  /** @returns true where the connection is no longer ours to read */
  #onHead(head: ResponseHead, chunk: Buffer, at: number): boolean {
    const { fields, status } = head
    const sink = this.#sink
    if (sink === undefined) return true
    if (status === 101) {
      this.#detach()
      sink.onUpgrade(head, this.stream, at < chunk.length ? chunk.subarray(at) : undefined)
      return true
    }
    if (status < 200) {
      sink.onInterim(head)
      return false
    }
    const persistent =
      head.minorVersion === 1 ? !hasOption(fields.connection, 'close') : hasOption(fields.connection, 'keep-alive')
    this.#framing = responseFraming(sink.method, head)
    // Both framings at once is how responses are smuggled: believe chunked, and never reuse (RFC 9112 section 6.3).
    this.#keepAlive = persistent && this.#framing !== 'close' && !(fields.chunked && fields.contentLength !== undefined)
    if (fields.keepAliveSeconds !== undefined) {
      this.idleLimitMs = Math.min(IDLE_LIMIT_MS, fields.keepAliveSeconds * 1_000 - IDLE_MARGIN_MS)
    }
    this.#body = new BodyReader(this.#framing, fields.contentLength ?? 0)
    sink.onResponse(head, this.#framing)
    return false
  }

  #finish(): void {
    this.#body = undefined
    this.#complete = true
    this.#sink?.onResponseEnd()
  }

  readonly #onEnd = (): void => {
    if (this.#sink !== undefined && this.#body !== undefined && this.#framing === 'close') {
      this.#die()
      this.#finish()
    }
    this.#fail(undefined)
  }

  readonly #onClose = (): void => this.#fail(undefined)

  readonly #onError = (error: Error): void => this.#fail(error)

  readonly #onDrain = (): void => this.#sink?.onUpstreamDrain()

  #fail(cause: Error | undefined): void {
    const sink = this.#sink
    this.#sink = undefined
    this.#die()
    if (sink === undefined) return this.close()
    resetStream(this.stream)
    if (HawserError.is(cause)) return sink.onUpstreamFailure(cause)
    const started = this.#body !== undefined || this.#heads.started
    const what = started
      ? 'the target ended the connection inside its answer'
      : 'the target ended the connection before it answered'
    const because = cause === undefined ? '' : `: ${cause.message}`
    sink.onUpstreamFailure(
      new HawserError(started ? 'http_response_incomplete' : 'connection_terminated', what + because, { cause }),
    )
  }

  #die(): void {
    if (this.#dead) return
    this.#dead = true
    this.onDead?.()
  }

  /** Hands the stream over: it is read by someone else from now on. */
  #detach(): void {
    this.#sink = undefined
    this.#die()
    this.stream.pause()
    this.stream.off('data', this.#onData)
    this.stream.off('end', this.#onEnd)
    this.stream.off('close', this.#onClose)
    this.stream.off('drain', this.#onDrain)
    // The error listener stays: between two owners an error must not go uncaught.
  }
}
