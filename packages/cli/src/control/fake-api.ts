import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A request as it arrived. */
export interface SeenCall {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  readonly body: string
}

/** What the fake answers: a status with a body, text as it is and all else as JSON; or nothing at all. */
export type FakeAnswer = { readonly status: number; readonly body: unknown } | 'hang' | 'reset'

/** Listening until it is disposed of. */
export interface FakeApi extends AsyncDisposable {
  /** Base URL with the path of the API. */
  readonly base: string
  readonly calls: readonly SeenCall[]
}

/** A success in the envelope of the v4 API. */
export function ok(result: unknown): FakeAnswer {
  return { status: 200, body: { success: true, errors: [], messages: [], result } }
}

/** A failure in the envelope of the v4 API. */
export function failed(status: number, ...messages: readonly string[]): FakeAnswer {
  const errors = messages.map((message) => ({ code: 1000, message }))
  return { status, body: { success: false, errors, messages: [], result: null } }
}

/** An API on loopback for tests that answers as told. */
export async function fakeApi(answer: (call: SeenCall) => FakeAnswer): Promise<FakeApi> {
  const calls: SeenCall[] = []
  const server = createServer()
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url: path = '', headers } = request
    const call = { method, path, authorization: headers.authorization, body: await text(request) }
    calls.push(call)
    const given = answer(call)
    if (given === 'hang') return
    if (given === 'reset') {
      request.socket.resetAndDestroy()
      return
    }
    response.statusCode = given.status
    response.end(typeof given.body === 'string' ? given.body : JSON.stringify(given.body))
  }
  server.on('request', (request: IncomingMessage, response: ServerResponse) => void serve(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/client/v4`,
    calls,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
