/** A Worker running against a fake edge, for tests. */
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { CapturedLog } from '@hawser/testkit'
import { FakeEdge } from './fake-edge.ts'
import { runWorker } from './run-worker.ts'
import type { RunningWorker, RunWorkerOptions } from './run-worker.ts'
import { wranglerConfig, writeProject } from './test-project.ts'

export interface Site extends AsyncDisposable {
  readonly folder: string
  readonly edge: FakeEdge
  readonly worker: RunningWorker
  readonly log: CapturedLog
  /** Calls the Worker and reads its JSON. */
  json(path?: string): Promise<unknown>
}

interface SiteOptions {
  /** `index.ts`: the Worker. */
  readonly source: string
  readonly config?: Readonly<Record<string, unknown>>
  readonly files?: Readonly<Record<string, unknown>>
  readonly run?: Partial<RunWorkerOptions>
}

/** Every test Worker has one VPC network, `env.PRIVATE`. */
export const TUNNEL_ID = '6d1ff0c5-9f3d-4a1e-8f6a-0d6ad0f8c1aa'

/** Starts an edge and a Worker on it; `await using` it, so that both are gone before leaks are looked for. */
export async function startSite(t: TestContext, options: SiteOptions): Promise<Site> {
  await using opening = new AsyncDisposableStack()
  const log = new CapturedLog()
  const folder = await writeProject(t, {
    'wrangler.jsonc': wranglerConfig({
      vpc_networks: [{ binding: 'PRIVATE', tunnel_id: TUNNEL_ID }],
      ...options.config,
    }),
    'index.ts': options.source,
    ...options.files,
  })
  const edge = opening.use(await FakeEdge.start())
  const worker = opening.use(await runWorker({ configPath: folder, host: edge, logger: log, ...options.run }))
  const owned = opening.move()
  return {
    folder,
    edge,
    worker,
    log,
    json: async (path = '/') => (await worker.fetch(path)).json(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/**
 * Source of a Worker whose answer is what `body`, the body of an async function of `env`, returns. What it throws becomes
 * `{ error, message, code, … }`.
 */
export function answering(body: string, imports = ''): string {
  return `
    ${imports}
    const report = (error) => ({ error: error?.name, message: error?.message, ...error })
    const attempt = async (f) => { try { return await f() } catch (error) { return report(error) } }
    const bytes = (text) => new TextEncoder().encode(text)
    const readAll = (stream) => new Response(stream).text()
    const echo = async (socket, text) => {
      const writer = socket.writable.getWriter()
      await writer.write(bytes(text))
      await writer.close()
      return readAll(socket.readable)
    }
    async function answer(request, env, ctx) { ${body} }
    export default {
      async fetch(request, env, ctx) {
        return Response.json((await attempt(() => answer(request, env, ctx))) ?? null)
      },
    }`
}

export interface Target extends AsyncDisposable {
  readonly port: number
  /** Connections that are open now. */
  readonly open: ReadonlySet<Socket>
}

/** A TCP server on loopback that hands each connection to `serve`. */
export async function startTarget(serve: (socket: Socket) => void): Promise<Target> {
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    socket.on('error', () => {}) // resets are what some tests are about
    serve(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    open,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}

/** An HTTP server that answers as soon as `edge` has no connection of a Worker's: for Workers to wait for that. */
export async function startWhenEmpty(edge: FakeEdge): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createHttpServer((_request, response) => {
    const check = setInterval(() => {
      if (edge.connects.size === 0) response.end()
    }, 1)
    response.once('close', () => clearInterval(check))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
