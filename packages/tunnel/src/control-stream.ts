import { HawserError } from '@hawser/core'
import { encodeRefusal } from './dial-messages.ts'
import { encodeMessage, MessageDecoder } from './messages.ts'
import type { Message } from './messages.ts'
import { unknownOperation } from './serve-dials.ts'
import type { MuxSession } from './session.ts'
import type { MuxStream } from './stream.ts'

/** What one side does for the other: by the `op` of the request, its reply. What it throws is the refusal. */
export type Operations = ReadonlyMap<string, (request: Message) => Message>

/**
 * Serves the control stream of a registered connection until either ends. A request, which is a message with an `op`, is
 * answered: an operation that this version does not know with an error, so that a newer peer can tell. Other messages are
 * replies that nobody waits for, and are dropped.
 *
 * The connection lives as long as its control stream: its end or a message that is none ends the session.
 */
export function serveControlStream(session: MuxSession, stream: MuxStream, operations: Operations): void {
  const decoder = new MessageDecoder()
  const fail = (error: unknown): void => session.abort(HawserError.from(error, 'tunnel_protocol_error'))
  stream.on('data', (chunk: Buffer) => {
    let rest = chunk
    try {
      while (rest.length > 0) {
        rest = rest.subarray(decoder.push(rest))
        if (decoder.message === undefined || !('op' in decoder.message)) continue
        if (!stream.write(answer(decoder.message, operations))) stream.pause() // a peer that does not read gets no more
      }
    } catch (error) {
      fail(error)
    }
  })
  stream.on('drain', () => stream.resume())
  stream.once('end', () => fail(new HawserError('tunnel_protocol_error', 'the peer ended the control stream')))
  stream.on('error', fail)
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
