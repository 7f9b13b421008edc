import type { FailureMemory } from '../flow/failure-memory.ts'
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
  const length = Buffer.byteLength(body)
  const text = `HTTP/1.1 ${status}\r\n${fields}Content-Length: ${length}\r\n\r\n${body}`
  return {
    ...IGNORE,
    start: () => {
      client.socket.write(text)
      client.release()
    },
  }
}

/** `GET http://flows.hawser/<id>`: what became of a call, for the module that made it. */
export function answerOutcome(client: ClientConnection, path: string, failures: FailureMemory): RequestSink {
  const failure = failures.recall(path.slice(1), performance.now())
  const json = 'Content-Type: application/json\r\n'
  if (failure === undefined) return answerItself(client, '404 Not Found', '{}', json)
  return answerItself(client, '200 OK', failureBody(failure, failure.flow), json)
}
