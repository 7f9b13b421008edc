import { HawserError } from '@hawser/core'
import type { FlowBinding } from '../flow/context.ts'
import type { FailureMemory } from '../flow/failure-memory.ts'
import type { MarkOutcome } from '../flow/upgrades.ts'
import type { ClientConnection, RequestSink } from '../http/client-connection.ts'
import { failureBody } from '../http/error-answer.ts'

const IGNORE = {
  onRequestPayload: (): void => {},
  onRequestEnd: (): void => {},
  onClientGone: (): void => {},
  onClientDrain: (): void => {},
} as const

/** Answers a request by the edge itself; no flow comes of it. */
export function answerItself(client: ClientConnection, status: string, body: string, fields = ''): RequestSink {
  const empty = status.startsWith('204') // has no body, and says nothing of one (RFC 9110 section 15.3.5)
  const content = empty ? '\r\n' : `${fields}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  const text = `HTTP/1.1 ${status}\r\n${content}`
  return {
    ...IGNORE,
    start: () => {
      client.socket.write(text)
      client.release()
    },
  }
}

const JSON_TYPE = 'Content-Type: application/json\r\n'

/** What a module may ask and say of its own calls, by the ids it gave them. */
export function answerModule(
  client: ClientConnection,
  method: string,
  path: string,
  binding: Pick<FlowBinding, 'failures' | 'open' | 'upgrades'>,
): RequestSink {
  if (method === 'GET') return answerOutcome(client, path, binding.failures)
  const [, callId = '', verb, rest] = path.split('/')
  if (method === 'POST' && verb === 'upgrade' && rest === undefined) {
    return answerItself(client, MARK_STATUS[binding.upgrades.mark(callId)], '{}', JSON_TYPE)
  }
  if (method === 'POST' && verb === 'abort' && rest === undefined) {
    const found = abortCall(binding, callId)
    return answerItself(client, found ? '204 No Content' : '404 Not Found', '{}', JSON_TYPE)
  }
  return answerItself(client, '404 Not Found', '{}', JSON_TYPE)
}

const MARK_STATUS: Readonly<Record<MarkOutcome, string>> = {
  marked: '204 No Content',
  unknown: '404 Not Found',
  refused: '409 Conflict',
}

/** A module cannot let go of a CONNECT that has not been answered yet; so it says so. */
function abortCall({ open, upgrades }: Pick<FlowBinding, 'open' | 'upgrades'>, callId: string): boolean {
  upgrades.drop(callId)
  for (const context of open) {
    const { call } = context
    if (call.kind !== 'connect' || call.callId !== callId) continue
    context.abort(new HawserError('connection_aborted', 'the Worker gave the connection up'))
    return true
  }
  return false
}

/** `GET http://flows.hawser/<id>`: what became of a call, for the module that made it. */
export function answerOutcome(client: ClientConnection, path: string, failures: FailureMemory): RequestSink {
  const failure = failures.recall(path.slice(1), performance.now())
  if (failure === undefined) return answerItself(client, '404 Not Found', '{}', JSON_TYPE)
  return answerItself(client, '200 OK', failureBody(failure, failure.flow), JSON_TYPE)
}
