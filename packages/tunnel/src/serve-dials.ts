import { HawserError, resetStream, splice } from '@hawser/core'
import type { Dialed, DialTarget } from '@hawser/core'
import { encodeDialed, encodeRefusal, parseDialRequest } from './dial-messages.ts'
import { readFirstMessage } from './messages.ts'
import type { Message } from './messages.ts'
import type { MuxStream } from './stream.ts'

/**
 * Opens a connection to a target, on the connector's side.
 *
 * @param signal aborts when the edge no longer wants it; a connection that arrives later is released by the tunnel
 * @throws {HawserError} a code of V-040; anything else is reported as `proxy_internal_error`
 */
export type DialHandler = (request: DialTarget, signal: AbortSignal) => Promise<Dialed>

/** Serves the streams that an edge opens: dials, answers, and moves bytes until both ends have ended. */
export class DialServer {
  readonly #dial: DialHandler
  #active = 0
  #whenIdle: (() => void)[] = []

  constructor(dial: DialHandler) {
    this.#dial = dial
  }

  /** Streams from their opening until the last byte has reached its target. */
  get activeStreams(): number {
    return this.#active
  }

  whenIdle(): Promise<void> {
    return this.#active === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  /** Takes one stream that the edge has just opened. */
  accept(stream: MuxStream): void {
    this.#active += 1
    const done = (): void => this.#release()
    readFirstMessage(stream, (message) => void this.#serve(stream, message).then(done, done), done)
  }

  async #serve(stream: MuxStream, message: Message): Promise<void> {
    const controller = new AbortController()
    const onClose = (): void => controller.abort(new HawserError('connection_aborted', 'the edge gave the call up'))
    stream.on('error', ignore) // the splice, or nobody, cares
    stream.once('close', onClose)
    let dialed: Dialed
    try {
      if (message['op'] !== 'dial') throw new HawserError('tunnel_protocol_error', `unknown operation`)
      dialed = await this.#dial(parseDialRequest(message), controller.signal)
    } catch (error) {
      return refuse(stream, HawserError.from(error, 'proxy_internal_error'))
    } finally {
      stream.off('close', onClose)
    }
    if (stream.destroyed) return resetStream(dialed.stream)
    stream.sendPreface(encodeDialed(dialed.remoteAddress))
    return splice(stream, dialed.stream, { forward: 0, backward: 0 })
  }

  #release(): void {
    this.#active -= 1
    if (this.#active > 0 || this.#whenIdle.length === 0) return
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }
}

function ignore(): void {}

/** Answers and ends; what the edge has sent in advance is dropped. */
function refuse(stream: MuxStream, error: HawserError): void {
  if (stream.destroyed) return
  stream.sendPreface(encodeRefusal(error))
  stream.resume()
  stream.end()
}
