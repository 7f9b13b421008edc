import { HawserError, resetDialed, splice, Stop } from '@hawser/core'
import type { ChannelSink, Dialed, DialTarget, StopSignal } from '@hawser/core'
import { encodeDialed, parseDialRequest } from './dial-messages.ts'
import { readFirstMessage } from './messages.ts'
import type { FirstMessage } from './messages.ts'
import { encodeRefusal } from './refusal.ts'
import type { MuxStream } from './stream.ts'

/**
 * Opens a connection to a target, on the connector's side.
 *
 * @param signal aborts when the edge no longer wants it; a connection that arrives later is released by the tunnel
 * @throws {HawserError} a code of V-040; anything else is reported as `proxy_internal_error`
 */
export type DialHandler = (request: DialTarget, signal: StopSignal) => Promise<Dialed>

/** Serves the streams that an edge opens: dials, answers, and moves bytes until both ends have ended. */
export class DialServer {
  readonly #dial: DialHandler
  #active = 0
  readonly #whenIdle: (() => void)[] = []

  constructor(dial: DialHandler) {
    this.#dial = dial
  }

  /** Streams from their opening until the last byte has been handed to its target. */
  get activeStreams(): number {
    return this.#active
  }

  /** Resolves when no stream is being served. */
  whenIdle(): Promise<void> {
    return this.#active === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  /** Takes one stream that the edge has just opened. */
  accept(stream: MuxStream): void {
    this.#active += 1
    readFirstMessage(stream, new ServedDial(stream, this.#dial, this.#release))
  }

  readonly #release = (): void => {
    this.#active -= 1
    if (this.#active > 0 || this.#whenIdle.length === 0) return
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }
}

/** One stream on its way from the request to the end of its connection. */
class ServedDial implements FirstMessage, ChannelSink {
  readonly #stream: MuxStream
  readonly #dial: DialHandler
  readonly #release: () => void
  readonly #givenUp = new Stop()
  #dialing = false

  constructor(stream: MuxStream, dial: DialHandler, release: () => void) {
    this.#stream = stream
    this.#dial = dial
    this.#release = release
  }

  onMessage(message: Buffer): void {
    let dialing
    try {
      const request = parseDialRequest(message)
      this.#dialing = true
      this.#stream.deliverTo(this) // paused: what the edge sends ahead waits
      dialing = this.#dial(request, this.#givenUp)
    } catch (error) {
      return this.#refuse(error)
    }
    dialing.then(this.#join, this.#refuse)
    return undefined
  }

  /** The edge no longer wants what is being dialled, or never said what it wants. */
  onLost(): void {
    if (!this.#dialing) return this.#release()
    return this.#givenUp.abort(new HawserError('connection_aborted', 'the edge gave the call up'))
  }

  onData(): void {}

  onEnd(): void {}

  onDrain(): void {}

  onSent(): void {}

  readonly #join = (dialed: Dialed): void => {
    if (this.#stream.lost !== undefined) {
      resetDialed(dialed)
      return this.#release()
    }
    this.#stream.sendPreface(encodeDialed(dialed.remoteAddress))
    // A failure has been seen by both ends.
    splice(this.#stream, dialed.channel ?? dialed.stream, { forward: 0, backward: 0 }).then(
      this.#release,
      this.#release,
    )
    return undefined
  }

  /** Answers and ends; what the edge has sent in advance is dropped. */
  readonly #refuse = (error: unknown): void => {
    const stream = this.#stream
    this.#release()
    if (stream.lost !== undefined) return
    stream.deliverTo(DROP)
    stream.sendPreface(encodeRefusal(HawserError.from(error, 'proxy_internal_error')))
    stream.resume()
    stream.end()
  }
}

const DROP: ChannelSink = { onData: ignore, onEnd: ignore, onDrain: ignore, onSent: ignore, onLost: ignore }

function ignore(): void {}
