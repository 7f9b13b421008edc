import { createServer } from 'node:http'
import type { Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HawserError, systemCode } from '@hawser/core'
import type { FlowRecord } from '@hawser/core'
import type { DemoStack } from './stack.ts'

/** What the demo Worker answers at `/`. */
interface WorkerAnswer {
  readonly ships: readonly Record<string, unknown>[]
  readonly stores: readonly Record<string, unknown>[]
  readonly refused: readonly Record<string, unknown>[]
}

export interface DemoPage extends AsyncDisposable {
  readonly url: string
}

const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #123; background: #f7f9fa }
  h1 { font-size: 1.6rem } h2 { font-size: 1.1rem; margin-top: 2rem }
  table { border-collapse: collapse; width: 100%; background: #fff } th, td { text-align: left; padding: .35rem .6rem; border: 1px solid #dde3e7; font-size: .9rem; overflow-wrap: anywhere }
  th { background: #eef2f4 } .error { color: #a30 } .ok { color: #074 } code { font-size: .85rem }
`

function escape(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

function table(rows: readonly Record<string, unknown>[]): string {
  const columns = Object.keys(rows[0] ?? {})
  const head = columns.map((name) => `<th>${escape(name)}</th>`).join('')
  const body = rows
    .map((row) => `<tr>${columns.map((name) => `<td>${escape(row[name] ?? '')}</td>`).join('')}</tr>`)
    .join('')
  return `<table><tr>${head}</tr>${body}</table>`
}

function milliseconds(flow: FlowRecord): string {
  const total = Object.values(flow.timings).reduce((sum, part) => sum + part, 0)
  return `${total.toFixed(1)} ms`
}

/** One flow as a row: what was asked, the way it took, who decided, how it ended. */
export function describeFlow(flow: FlowRecord): Record<string, string> {
  const route = flow.route
  const way =
    route === undefined
      ? 'not routed'
      : route.via !== 'tunnel'
        ? route.via
        : `tunnel → connector ${route.connectorId?.slice(0, 8) ?? 'none'}`
  return {
    call: `${flow.binding}.${flow.kind}`,
    requested: flow.requested,
    rule: flow.verdict?.rule ?? '',
    route: route?.remoteAddress === undefined ? way : `${way} → ${route.remoteAddress}`,
    bytes: `${flow.bytesSent} ↑ ${flow.bytesReceived} ↓`,
    outcome: flow.error === undefined ? (flow.outcome ?? 'open') : `${flow.error.code}: ${flow.error.message}`,
    time: milliseconds(flow),
  }
}

function render(answer: WorkerAnswer, flows: readonly FlowRecord[]): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Hawser demo</title><style>${STYLE}</style>
<h1>A Worker reads from a private network</h1>
<p>The Worker in <code>examples/demo</code> runs on workerd. The database and the API are reachable for its connector only. Reload to call it again.</p>
<h2>Rows by the unchanged <code>pg</code> driver</h2>${table(answer.ships)}
<h2>A private API by <code>env.PRIVATE.fetch()</code></h2>${table(answer.stores)}
<h2>What was refused, as the Worker saw it</h2>${table(answer.refused)}
<h2>The route each call took, as the edge recorded it (newest first)</h2>${table(flows.toReversed().map(describeFlow))}
</html>`
}

/** Closing a driver's connection crosses the tunnel once more; its flow is recorded when that is done. */
const SETTLE_MS = 50

async function answerPage(stack: DemoStack, response: ServerResponse): Promise<void> {
  const reply = await stack.worker.fetch('/')
  if (!reply.ok) {
    response.writeHead(502, { 'content-type': 'text/plain; charset=utf-8' })
    response.end(`The Worker answered ${reply.status}:\n${await reply.text()}\n`)
    return
  }
  const answer = (await reply.json()) as WorkerAnswer
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
  response.end(render(answer, stack.flows()))
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

/** Serves the page that shows the demo, on `port` if that is free. */
export async function servePage(stack: DemoStack, port: number): Promise<DemoPage> {
  const server = createServer((request, response) => {
    if (request.url !== '/') {
      response.writeHead(404).end()
      return
    }
    answerPage(stack, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' })
      response.end(`${String(error)}\n`)
    })
  })
  const bound = await listen(server, port).catch((error: unknown) => {
    if (port === 0 || systemCode(error) !== 'EADDRINUSE') throw HawserError.from(error, 'listen_failed')
    return listen(server, 0)
  })
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: `http://127.0.0.1:${bound}/`, [Symbol.asyncDispose]: close }
}
