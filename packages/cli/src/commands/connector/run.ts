import { formatHostPort, HawserError } from '@hawser/core'
import type { HostPort, Logger } from '@hawser/core'
import { defineCommand } from '../../command.ts'
import type { ObservedConnector } from '../../metrics/connector-metrics.ts'
import { readToken, tokenFlags } from './token-flags.ts'

/** Lives as long as the connector: while it drains, `/ready` says so. */
async function showMetrics(
  listen: HostPort | undefined,
  connector: ObservedConnector,
  logger: Logger,
): Promise<AsyncDisposable | undefined> {
  if (listen === undefined) return undefined
  const { connectorMetrics, connectorReadiness } = await import('../../metrics/connector-metrics.ts')
  const { serveMetrics } = await import('../../metrics/serve-metrics.ts')
  const server = await serveMetrics(listen, {
    metrics: () => connectorMetrics(connector),
    readiness: () => connectorReadiness(connector),
  })
  logger.info('metrics', { address: server.address })
  return server
}

/**
 * Flags follow the vendor's connector where it has the same thing: V-146 for the token, V-166 for the grace period, V-167 for
 * the port of metrics, which here nothing listens on unasked.
 */
export default defineCommand({
  name: 'connector run',
  summary: 'Connect this machine to an edge, which then reaches what this machine reaches',
  description:
    'Makes outgoing connections only. A token on the command line can be seen by every user of this machine, so prefer ' +
    '--token-file or the environment variable. A token that is rejected at the first try ends the command; one that was ' +
    'accepted before is retried. The first SIGINT or SIGTERM lets running flows finish, the second ends them. ' +
    'Where it does not connect, connector diag says why.',
  flags: {
    ...tokenFlags,
    edge: {
      kind: 'hostPort',
      repeatable: true,
      defaultPort: 7844,
      env: 'HAWSER_EDGE',
      help: 'edge to connect to, instead of those the token names',
    },
    allow: {
      kind: 'cidr',
      repeatable: true,
      env: 'HAWSER_ALLOW',
      help: 'range that may be dialled; with any, nothing else may',
    },
    deny: {
      kind: 'cidr',
      repeatable: true,
      env: 'HAWSER_DENY',
      help: 'range that may not be dialled, even if allowed',
    },
    connections: {
      kind: 'number',
      min: 1,
      max: 16,
      default: '4',
      help: 'tunnel connections, spread over the edges',
    },
    weight: {
      kind: 'number',
      min: 0,
      max: 100,
      default: '100',
      env: 'HAWSER_WEIGHT',
      help: 'while connectors of a greater weight can serve, this one stands by',
    },
    gracePeriod: { kind: 'duration', default: '30s', help: 'how long running flows may finish after a stop' },
    metrics: {
      kind: 'hostPort',
      defaultPort: 20241,
      implied: '127.0.0.1:20241',
      env: 'HAWSER_METRICS',
      help: 'address for /ready, /metrics and /healthcheck; none unless given',
    },
  },
  examples: [
    'hawser connector run --token-file lab.token',
    'hawser connector run --token-file lab.token --metrics 127.0.0.1:20241 --log-format json',
    'hawser connector run --token-file lab.token --allow 10.0.0.0/8 --deny 10.9.0.0/16',
    'HAWSER_TUNNEL_TOKEN=… hawser connector run --edge edge.example.com:7844',
  ],
  async run({ flags, logger, signal, abort }) {
    const { parseCidr, startConnector } = await import('@hawser/connector')
    for (const text of flags.allow) parseCidr(text, '--allow') // again inside, but there they have no flag's name
    for (const text of flags.deny) parseCidr(text, '--deny')
    const token = await readToken(flags.token, flags.tokenFile)
    const edges = flags.edge.map((edge) => formatHostPort(edge))
    const { allow, deny, connections, weight } = flags
    await using connector = await startConnector({ token, edges, allow, deny, connections, weight, logger })
    await using _metrics = await showMetrics(flags.metrics, connector, logger)
    // `closed` also resolves by itself, when no edge ever accepts the token.
    const onStop = (): void => void connector.close(flags.gracePeriod)
    const onAbort = (): void => connector.abort(new HawserError('connection_aborted', 'stopped by a second signal'))
    signal.addEventListener('abort', onStop, { once: true })
    abort.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onStop()
    const error = await connector.closed
    if (error !== undefined) throw error
  },
})
