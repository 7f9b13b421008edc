import { HawserError } from '@hawser/core'
import type { Dialed, DialTarget } from '@hawser/core'
import { encodeDialRequest, parseDialReply } from './dial-messages.ts'
import { readFirstMessage } from './messages.ts'
import type { MuxSession } from './session.ts'
import type { MuxStream } from './stream.ts'

export function dialThrough(
  session: MuxSession,
  connectorId: string,
  target: DialTarget,
  signal: AbortSignal,
): Promise<Dialed> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) throw new HawserError('connection_aborted', 'the caller gave the call up')
    const stream = session.open(encodeDialRequest(target))
    const onAbort = (): void =>
      void stream.destroy(new HawserError('connection_aborted', 'the caller gave the call up'))
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
        reject(error)
      },
    )
  })
}
