import { createServer } from 'node:http'
import { formatHostPort, HawserError } from '@hawser/core'
import type { HostPort } from '@hawser/core'
import type { AddressInfo } from 'node:net'

export interface NoWorker extends AsyncDisposable {
  readonly address: HostPort
}

const ANSWER = 'This edge runs no Worker. Start it with --worker <wrangler configuration>.\n'

/**
 * Answers every request on the Worker's address with 503 and what to do about it, for an edge that has no Worker yet.
 *
 * @throws {HawserError} `listen_failed`
 */
export async function serveNoWorker(listen: HostPort): Promise<NoWorker> {
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8' }).end(ANSWER)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `--http: cannot listen on ${formatHostPort(listen)}: ${cause.message}`
      reject(new HawserError('listen_failed', message, { cause }))
    })
    server.listen(listen, () => resolve())
  })
  const { address, port } = server.address() as AddressInfo
  return {
    address: { host: address, port },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
