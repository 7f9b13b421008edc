import { API_BASE, createApi, serveApi } from '@hawser/api'
import { formatHostPort, HawserError } from '@hawser/core'
import type { HostPort, Logger } from '@hawser/core'
import { startEdge } from '@hawser/edge'
import type { Edge } from '@hawser/edge'
import type { RunningWorker } from '@hawser/workers'
import type { Output } from '../command.ts'
import { adminTokenFile, ensureAdminToken } from '../control/admin-token.ts'
import { removeEdgeFile, writeEdgeFile } from '../control/edge-file.ts'
import { edgeMetrics, edgeReadiness } from '../metrics/edge-metrics.ts'
import { serveMetrics } from '../metrics/serve-metrics.ts'
import { addClientRoutes } from './client-routes.ts'
import { nextStep } from './next-step.ts'
import { serveNoWorker } from './no-worker.ts'

/** See `RunWorkerOptions`. */
export interface WorkerToRun {
  readonly configPath: string
  readonly environment: string | undefined
  readonly listen: HostPort
  readonly persistTo: string
}

/** The flags of `hawser edge`, read. `graceMs` is for calls under way at the stop; see `CommandContext` for the signals. */
export interface RunEdgeOptions {
  readonly dataDir: string
  readonly tunnel: HostPort
  readonly api: HostPort
  readonly advertise: readonly string[]
  /** Where programs that are no Workers connect to, if they may. */
  readonly clients: HostPort | undefined
  /** See `EdgeOptions.prefer`. */
  readonly prefer: readonly string[]
  /** Where to answer requests while there is no Worker to answer them. */
  readonly http: HostPort | undefined
  readonly worker: WorkerToRun | undefined
  readonly graceMs: number
  /** Where to show metrics and readiness, if anywhere. */
  readonly metrics: HostPort | undefined
  readonly logger: Logger
  /** Whether to say where it listens in a log line instead of on `out`. */
  readonly jsonLogs: boolean
  readonly out: Output
  readonly signal: AbortSignal
  readonly abort: AbortSignal
}

/** @returns the base URL of the control API */
async function serveControl(options: RunEdgeOptions, edge: Edge, owner: AsyncDisposableStack): Promise<string> {
  const { directory } = edge
  const app = createApi({
    directory,
    connections: (tunnelId) => edge.connections(tunnelId),
    configureTunnel: (tunnelId) => edge.configureTunnel(tunnelId),
    tunnelToken: (tunnelId) => edge.tunnelToken(tunnelId),
    logger: options.logger,
  })
  addClientRoutes(app, edge)
  const served = owner.use(await serveApi({ app, listen: options.api, logger: options.logger }))
  edge.registerListener(served.address) // so that no Worker talks to it through public egress
  const { host } = served.address
  if (host !== '::1' && !host.startsWith('127.')) {
    options.logger.warn('the control API is in clear text and not on loopback', { api: formatHostPort(served.address) })
  }
  return `http://${formatHostPort(served.address)}${API_BASE}`
}

/** The Worker's own address is one of the edge's too: a Worker that calls it would call itself. */
async function serveWorker(
  options: RunEdgeOptions,
  edge: Edge,
  owner: AsyncDisposableStack,
): Promise<RunningWorker | undefined> {
  if (options.worker === undefined) return undefined
  const { runWorker } = await import('@hawser/workers') // with esbuild, for those who run one
  const worker = owner.use(await runWorker({ ...options.worker, host: edge, logger: options.logger }))
  const { hostname, port } = new URL(worker.url)
  edge.registerListener({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })
  return worker
}

/** @returns the address, if somebody asked for it */
async function showMetrics(
  { metrics }: RunEdgeOptions,
  edge: Edge,
  owner: AsyncDisposableStack,
): Promise<HostPort | undefined> {
  if (metrics === undefined) return undefined
  const source = { metrics: () => edgeMetrics(edge), readiness: () => edgeReadiness(edge) }
  const { address } = owner.use(await serveMetrics(metrics, source))
  edge.registerListener(address)
  return address
}

/** @returns the URL that says that there is no Worker, if somebody asked for it */
async function serveNobody(
  options: RunEdgeOptions,
  edge: Edge,
  owner: AsyncDisposableStack,
): Promise<string | undefined> {
  if (options.worker !== undefined || options.http === undefined) return undefined
  const { address } = owner.use(await serveNoWorker(options.http))
  edge.registerListener(address)
  return `http://${formatHostPort(address)}`
}

/** Where an edge listens, and whether it has just made its first API token. */
interface Listening {
  readonly api: string
  readonly http: string | undefined
  readonly metrics: HostPort | undefined
  readonly made: boolean
}

/** What a person at the terminal needs next. The token's place, never the token. */
async function describe(options: RunEdgeOptions, edge: Edge, listening: Listening): Promise<void> {
  const { api, http, metrics, made } = listening
  const { out, dataDir, logger, jsonLogs } = options
  const { tunnelAddress: tunnel, clientsAddress: clients } = edge
  if (jsonLogs) {
    logger.info('listening', { tunnel, clients, api, http, metrics, adminToken: adminTokenFile(dataDir) })
    return
  }
  const next = await nextStep(edge.directory, dataDir)
  out.line(`tunnel  ${formatHostPort(tunnel)}`)
  if (clients !== undefined) out.line(`clients ${formatHostPort(clients)}`)
  out.line(`api     ${api}`)
  if (http !== undefined) out.line(`http    ${http}`)
  if (metrics !== undefined) out.line(`metrics http://${formatHostPort(metrics)}/metrics`)
  if (made) out.line(`Wrote an API token for the commands of this machine to ${adminTokenFile(dataDir)}`)
  out.line(next)
}

/** Resolves at the stop signal; rejects if the Worker ends before it. */
async function untilStopped(signal: AbortSignal, worker: RunningWorker | undefined): Promise<void> {
  const stopped = Promise.withResolvers<void>()
  if (signal.aborted) stopped.resolve()
  signal.addEventListener('abort', () => stopped.resolve(), { once: true })
  const ended = worker?.closed.then(() => {
    if (!signal.aborted) throw new HawserError('proxy_internal_error', 'the Worker ended by itself')
  })
  await (ended === undefined ? stopped.promise : Promise.race([stopped.promise, ended]))
}

/**
 * Runs an edge with its control API and, if asked, one Worker, until the stop signal. Then the edge lets running calls
 * finish for `graceMs` while workerd still runs, and everything is released in reverse order.
 *
 * @throws {HawserError} what its parts throw when they cannot start, everything started before released
 */
export async function runEdge(options: RunEdgeOptions): Promise<void> {
  const { dataDir, tunnel, advertise, clients, prefer, logger, signal, abort } = options
  await using owned = new AsyncDisposableStack()
  const edge = await startEdge({ dataDir, tunnel, advertise, clients, prefer, logger })
  owned.defer(() => edge.close(0)) // has no effect after the close below
  const made = await ensureAdminToken(dataDir, edge.directory, logger)
  const api = await serveControl(options, edge, owned)
  const worker = await serveWorker(options, edge, owned)
  const nobody = await serveNobody(options, edge, owned)
  const http = worker === undefined ? nobody : `${worker.url} (Worker ${worker.name})`
  const metrics = await showMetrics(options, edge, owned)
  owned.defer(() => removeEdgeFile(dataDir))
  await writeEdgeFile(dataDir, {
    pid: process.pid,
    tunnel: formatHostPort(edge.tunnelAddress),
    api,
    accountId: edge.directory.accountId,
    http: worker?.url ?? nobody,
  })
  await describe(options, edge, { api, http, metrics, made })
  const onAbort = (): void => void edge.abort(new HawserError('connection_aborted', 'stopped by a second signal'))
  abort.addEventListener('abort', onAbort, { once: true })
  await untilStopped(signal, worker)
  logger.info('stopping', { graceMs: options.graceMs })
  await edge.close(options.graceMs)
}
