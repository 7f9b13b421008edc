import type { Logger } from '@hawser/core'
import { openDirectory } from '@hawser/directory'
import { EDGE_SERVER_NAME, listenForTunnels } from '@hawser/tunnel'
import type { TunnelListener } from '@hawser/tunnel'
import { listenForClients } from './clients/listen-for-clients.ts'
import { ConnectListener } from './doors/connect-listener.ts'
import { IntruderLog } from './doors/intruder-log.ts'
import { SocketDir } from './doors/socket-dir.ts'
import { RunningEdge } from './edge.ts'
import type { Edge } from './edge.ts'
import { flowServices } from './flow-services.ts'
import { advertisedEdges, advertisedToClients, checkEdgeOptions } from './options.ts'
import type { EdgeOptions } from './options.ts'
import { OwnListeners } from './own-listeners.ts'
import { Routing } from './routing.ts'
import { openDataDir } from './storage/data-dir.ts'
import type { DataDir } from './storage/data-dir.ts'
import { TunnelStates } from './tunnel-states.ts'
import { Tunnels } from './tunnels.ts'

/** A certificate has 30 days left when it is replaced; looking twice a day is often enough. */
const RENEWAL_CHECK_MS = 12 * 3_600_000
/** Connectors get this long to take their leave; the calls have ended before. */
const TUNNEL_GRACE_MS = 500

/**
 * Opens everything an edge needs, or nothing: a failure half way closes what was already open.
 *
 * @throws {HawserError} `options_invalid`, `address_invalid`, `storage_failed`, `listen_failed`
 */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  checkEdgeOptions(options)
  const { logger } = options
  await using opening = new AsyncDisposableStack()
  const dataDir = await openDataDir({ path: options.dataDir, serverName: EDGE_SERVER_NAME, logger })
  opening.defer(() => dataDir.close())
  const directory = opening.use(await openDirectory({ file: dataDir.directoryFile, key: dataDir.directoryKey }))
  const ownListeners = new OwnListeners()
  const sockets = opening.use(await SocketDir.create())
  const intruders = new IntruderLog(logger)
  const listener = await ConnectListener.open(intruders)
  opening.defer(() => listener.close())
  ownListeners.add(listener.address)

  const tunnels = new Tunnels(directory.tunnels, logger, options.prefer)
  const states = new TunnelStates(directory, tunnels, logger)
  opening.defer(() => states.close())
  const { certPem, keyPem } = dataDir.certificate
  const tunnelListener = await listenForTunnels({
    listen: options.tunnel,
    edgeId: dataDir.edgeId,
    certPem,
    keyPem,
    secretOf: (tunnelId) => directory.tunnels.secretOf(tunnelId),
    onConnection: (connection) => {
      tunnels.add(connection)
      states.onConnection(connection)
    },
    onReport: (connection) => states.onReport(connection),
    logger,
  })
  opening.defer(() => tunnelListener.close(TUNNEL_GRACE_MS))
  ownListeners.add(tunnelListener.address)

  const routing = await Routing.open(directory, logger)
  opening.defer(() => routing.close())
  const services = flowServices(options, ownListeners, tunnels, routing)
  const clients = await listenForClients(options, dataDir.certificate, directory, services)
  if (clients !== undefined) {
    opening.defer(() => clients.close(0)) // has no effect after the edge's own close
    ownListeners.add(clients.address)
  }
  opening.defer(
    renewWhileRunning(dataDir, clients === undefined ? [tunnelListener] : [tunnelListener, clients], logger),
  )
  logger.info('edge started', { edge: dataDir.edgeId, tunnel: tunnelListener.address })
  return new RunningEdge({
    id: dataDir.edgeId,
    directory,
    caPem: dataDir.caPem,
    edges: advertisedEdges(options.advertise, tunnelListener.address),
    tunnelAddress: tunnelListener.address,
    clients,
    clientEdges: clients === undefined ? [] : advertisedToClients(options.advertise, clients.address),
    tunnels,
    states,
    leaveTunnels: () => tunnelListener.leave(),
    services,
    listener,
    intruders,
    sockets,
    ownListeners,
    owned: opening.move(),
  })
}

/** @returns a function that stops it */
function renewWhileRunning(
  dataDir: DataDir,
  listeners: readonly Pick<TunnelListener, 'renew'>[],
  logger: Logger,
): () => void {
  const timer = setInterval(() => {
    dataDir.renewIfDue().then(
      (renewed) => {
        if (renewed) for (const listener of listeners) listener.renew(dataDir.certificate)
      },
      (error: unknown) => logger.error('the certificate of this edge could not be renewed', { error }),
    )
  }, RENEWAL_CHECK_MS).unref()
  return () => clearInterval(timer)
}
