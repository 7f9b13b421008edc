import { ChannelDialed, HawserError } from '@hawser/core'
import type { Dialed, DialTarget, StopSignal } from '@hawser/core'
import { encodeDialRequest, parseDialReply } from './dial-messages.ts'
import { readFirstMessage } from './messages.ts'
import type { FirstMessage } from './messages.ts'
import type { MuxSession } from './session.ts'
import type { MuxStream } from './stream.ts'

/**
 * Opens a connection through a tunnel: one stream, the request with its first frame, and the stream itself once the connector
 * has answered.
 *
 * @throws {HawserError} what the connector answered; `tunnel_closed`, `tunnel_timeout`, `tunnel_stream_limit` where no
 *   connection was attempted for sure, so that another tunnel connection may be tried; `connection_aborted`
 */
export function dialThrough(
  session: MuxSession,
  connectorId: string,
  target: DialTarget,
  signal: StopSignal,
): Promise<Dialed> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) throw givenUp()
    const stream = session.open(encodeDialRequest(target))
    readFirstMessage(stream, new PendingDial(stream, connectorId, signal, resolve, reject))
  })
}

/** A dial between its request and its reply. */
class PendingDial implements FirstMessage {
  readonly #stream: MuxStream
  readonly #connectorId: string
  readonly #signal: StopSignal
  readonly #resolve: (dialed: Dialed) => void
  readonly #reject: (error: unknown) => void

  constructor(
    stream: MuxStream,
    connectorId: string,
    signal: StopSignal,
    resolve: (dialed: Dialed) => void,
    reject: (error: unknown) => void,
  ) {
    this.#stream = stream
    this.#connectorId = connectorId
    this.#signal = signal
    this.#resolve = resolve
    this.#reject = reject
    signal.addEventListener('abort', this.#onAbort)
  }

  onMessage(message: Buffer): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
    try {
      this.#resolve(new ChannelDialed(this.#stream, parseDialReply(message), this.#connectorId))
    } catch (error) {
      this.#reject(error)
      this.#stream.reset()
    }
  }

  /** A stream that ends without an answer was refused by the session at the other end, which is going away. */
  onLost(error: HawserError): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
    if (error.code !== 'connection_terminated') return this.#reject(error)
    return this.#reject(new HawserError('tunnel_closed', 'the connector did not take the stream', { cause: error }))
  }

  readonly #onAbort = (): void => {
    this.#stream.reset()
    this.#reject(givenUp())
  }
}

function givenUp(): HawserError {
  return new HawserError('connection_aborted', 'the caller gave the call up')
}
