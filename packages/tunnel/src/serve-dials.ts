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
    stream.on('error', ignore) // whoever serves the stream notices by other ways
    const release = (): void => this.#release()
    readFirstMessage(stream, (message) => void this.#serve(stream, message).finally(release), release)
  }

  async #serve(stream: MuxStream, message: Message): Promise<void> {
    try {
      const dialed = await this.#open(stream, message)
      if (stream.destroyed) return resetStream(dialed.stream)
      stream.sendPreface(encodeDialed(dialed.remoteAddress))
      await splice(stream, dialed.stream, { forward: 0, backward: 0 }).catch(ignore) // both ends have seen the failure
    } catch (error) {
      refuse(stream, HawserError.from(error, 'proxy_internal_error'))
    }
    return undefined
  }

  /** Dials, for as long as the edge wants it. */
  async #open(stream: MuxStream, message: Message): Promise<Dialed> {
    if (message['op'] !== 'dial') throw unknownOperation(message['op'])
    const request = parseDialRequest(message)
    const controller = new AbortController()
    const onClose = (): void => controller.abort(new HawserError('connection_aborted', 'the edge gave the call up'))
    stream.once('close', onClose)
    try {
      return await this.#dial(request, controller.signal)
    } finally {
      stream.off('close', onClose)
    }
  }

  #release(): void {
    this.#active -= 1
    if (this.#active > 0 || this.#whenIdle.length === 0) return
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }
}

/** Says that a message asks for what this version does not know. */
export function unknownOperation(op: unknown): HawserError {
  return new HawserError('tunnel_protocol_error', `unknown operation ${(JSON.stringify(op) ?? 'none').slice(0, 100)}`)
}

/** Answers and ends; what the edge has sent in advance is dropped. */
function refuse(stream: MuxStream, error: HawserError): void {
  if (stream.destroyed) return
  stream.sendPreface(encodeRefusal(error))
  stream.resume()
  stream.end()
}

function ignore(): void {}
