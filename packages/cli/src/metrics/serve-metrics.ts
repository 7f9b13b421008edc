import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { formatHostPort, HawserError } from '@hawser/core'
import type { HostPort } from '@hawser/core'
import { METRICS_TYPE, renderMetrics } from './exposition.ts'
import type { Metric } from './exposition.ts'
import { processMetrics } from './process-metrics.ts'

/** Whether new work may be sent here, and what else `/ready` says besides its status. */
export interface Readiness {
  readonly ready: boolean
  readonly body: Readonly<Record<string, unknown>>
}

/** What is shown, asked for anew with every request. */
export interface MetricsSource {
  metrics(): readonly Metric[]
  readiness(): Readiness
}

/** A running listener. Disposing closes it and its connections. */
export interface MetricsServer extends AsyncDisposable {
  readonly address: HostPort
}

/** Scrapers and probes are few, and each asks for little: more than this is a mistake, or somebody else. */
const MAX_CONNECTIONS = 64
const HEAD_TIMEOUT_MS = 5_000

interface Answer {
  readonly status: number
  readonly type: string
  readonly text: string
}

function plain(status: number, text: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', text: `${text}\n` }
}

function answerTo(request: IncomingMessage, source: MetricsSource): Answer {
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'GET and HEAD only')
  switch ((request.url ?? '').replace(/\?.*$/s, '')) {
    case '/metrics':
      return { status: 200, type: METRICS_TYPE, text: renderMetrics([...source.metrics(), ...processMetrics()]) }
    case '/ready': {
      const { ready, body } = source.readiness()
      const status = ready ? 200 : 503
      return { status, type: 'application/json', text: `${JSON.stringify({ status, ...body })}\n` }
    }
    case '/healthcheck':
      return plain(200, 'OK')
    default:
      return plain(404, 'Here are /metrics, /ready and /healthcheck')
  }
}

function send(response: ServerResponse, { status, type, text }: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  })
  response.end(text) // of which Node keeps the body to itself where HEAD asked
}

async function listening(server: Server, listen: HostPort): Promise<HostPort> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', (cause) => {
    const message = `--metrics: cannot listen on ${formatHostPort(listen)}: ${cause.message}`
    reject(new HawserError('listen_failed', message, { cause }))
  })
  server.listen(listen, resolve)
  await promise
  const { address, port } = server.address() as AddressInfo
  return { host: address, port }
}

/**
 * Serves `/metrics` for Prometheus, `/ready` (200 or 503) and `/healthcheck` (200 while the process answers at all), in clear
 * text and to whoever asks: nothing secret is among it.
 *
 * @throws {HawserError} `listen_failed`
 */
export async function serveMetrics(listen: HostPort, source: MetricsSource): Promise<MetricsServer> {
  const server = createServer({ headersTimeout: HEAD_TIMEOUT_MS, requestTimeout: HEAD_TIMEOUT_MS })
  server.maxConnections = MAX_CONNECTIONS
  server.on('request', (request, response) => {
    request.resume()
    send(response, answerTo(request, source))
  })
  const address = await listening(server, listen)
  return {
    address,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
