import { HawserError } from '@hawser/core'
import type { ChannelSink } from '@hawser/core'
import { encodeMessage, MessageDecoder, parseMessage } from './messages.ts'
import type { Message } from './messages.ts'
import { encodeRefusal, refusalOf, unknownOperation } from './refusal.ts'
import type { MuxSession } from './session.ts'
import type { MuxStream } from './stream.ts'

/** What one side does for the other: by the `op` of the request, its reply. What it throws is the refusal. */
export type Operations = ReadonlyMap<string, (request: Message) => Message>

/** A request that tells the peer how things stand. */
export type Announcement = Message & { readonly op: string }

/** The control stream of a registered connection, from this side. */
export interface ControlStream {
  /**
   * Tells the peer how things stand. Of one `op` at most one request is under way; of those that follow meanwhile only the
   * last is kept, since it says all that the others would. So a peer that does not answer costs one message an `op`.
   *
   * @throws {HawserError} `tunnel_protocol_error` for what does not fit into a message
   */
  announce(announcement: Announcement): void
}

/**
 * Serves the control stream of a registered connection until either ends. A request, which is a message with an `op`, is
 * answered: an operation that this version does not know with an error, so that a newer peer can tell. Other messages are
 * replies: they come in the order of the requests, and those that nobody waits for are dropped.
 *
 * The connection lives as long as its control stream: its end or a message that is none ends the session.
 *
 * @param onRefusal told when the peer refuses what was announced
 */
export function serveControlStream(
  session: MuxSession,
  stream: MuxStream,
  operations: Operations,
  onRefusal: (op: string, refusal: HawserError) => void = () => {},
): ControlStream {
  const control = new ControlSink(session, stream, operations, onRefusal)
  stream.deliverTo(control)
  stream.resume()
  return control
}

class ControlSink implements ControlStream, ChannelSink {
  readonly #session: MuxSession
  readonly #stream: MuxStream
  readonly #operations: Operations
  readonly #onRefusal: (op: string, refusal: HawserError) => void
  readonly #decoder = new MessageDecoder()
  /** Operations that the peer has not answered, in the order in which it will; each with what to announce then. */
  readonly #unanswered = new Map<string, Buffer | undefined>()

  constructor(
    session: MuxSession,
    stream: MuxStream,
    operations: Operations,
    onRefusal: (op: string, refusal: HawserError) => void,
  ) {
    this.#session = session
    this.#stream = stream
    this.#operations = operations
    this.#onRefusal = onRefusal
  }

  announce(announcement: Announcement): void {
    const bytes = encodeMessage(announcement)
    const { op } = announcement
    const waits = this.#unanswered.has(op)
    this.#unanswered.set(op, waits ? bytes : undefined)
    if (!waits) this.#stream.write(bytes)
  }

  onData(chunk: Buffer): void {
    let rest = chunk
    try {
      while (rest.length > 0) {
        rest = rest.subarray(this.#decoder.push(rest))
        if (this.#decoder.message === undefined) continue
        const message = parseMessage(this.#decoder.message)
        if (!('op' in message)) this.#onReply(message)
        else if (!this.#stream.write(answer(message, this.#operations))) this.#stream.pause() // a peer that does not read
      }
    } catch (error) {
      this.onLost(HawserError.from(error, 'tunnel_protocol_error'))
    }
  }

  onDrain(): void {
    this.#stream.resume()
  }

  onEnd(): void {
    this.onLost(new HawserError('tunnel_protocol_error', 'the peer ended the control stream'))
  }

  onLost(error: Error): void {
    this.#session.abort(HawserError.from(error, 'tunnel_protocol_error'))
  }

  onSent(): void {}

  #onReply(reply: Message): void {
    const [first] = this.#unanswered
    if (first === undefined) return
    const [op, next] = first
    this.#unanswered.delete(op)
    if (reply['ok'] !== true) this.#onRefusal(op, refusalOf(reply, 'tunnel_protocol_error'))
    if (next === undefined) return
    this.#unanswered.set(op, undefined) // now the last in order
    this.#stream.write(next)
  }
}

function answer(request: Message, operations: Operations): Buffer {
  const { op } = request
  const operation = typeof op === 'string' ? operations.get(op) : undefined
  if (operation === undefined) return encodeRefusal(unknownOperation(op))
  try {
    return encodeMessage(operation(request))
  } catch (error) {
    return encodeRefusal(HawserError.from(error, 'proxy_internal_error'))
  }
}
