import { HawserError } from '@hawser/core'
import type { Dialed, DialTarget } from '@hawser/core'
import { encodeDialRequest, parseDialReply } from './dial-messages.ts'
import { readFirstMessage } from './messages.ts'
import type { MuxSession } from './session.ts'

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
  signal: AbortSignal,
): Promise<Dialed> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) throw givenUp()
    const stream = session.open(encodeDialRequest(target))
    // A failure may follow the reply so closely that nobody listens yet: it must not go uncaught, and `destroyed` tells.
    stream.on('error', () => {})
    const onAbort = (): void => void stream.destroy(givenUp())
    signal.addEventListener('abort', onAbort)
    readFirstMessage(
      stream,
      (message) => {
        signal.removeEventListener('abort', onAbort)
        try {
          resolve({ stream, remoteAddress: parseDialReply(message), connectorId })
        } catch (error) {
          reject(error)
          stream.destroy()
        }
      },
      (error) => {
        signal.removeEventListener('abort', onAbort)
        reject(unanswered(error))
      },
    )
  })
}

/** A stream that ends without an answer was refused by the session at the other end, which is going away. */
function unanswered(error: HawserError): HawserError {
  if (error.code !== 'connection_terminated') return error
  return new HawserError('tunnel_closed', 'the connector did not take the stream', { cause: error })
}

function givenUp(): HawserError {
  return new HawserError('connection_aborted', 'the caller gave the call up')
}
