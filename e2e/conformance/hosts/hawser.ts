import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startConnector } from '@hawser/connector'
import { silentLogger } from '@hawser/core'
import { startEdge } from '@hawser/edge'
import { runWorker } from '@hawser/workers'
import { post } from './host.ts'
import type { Host, HostOptions } from './host.ts'
import { WORKER } from './worker.ts'

/** The connector reaches loopback alone, as the native network does: other addresses are denied, not dialled. */
const ALLOWED = ['127.0.0.0/8', '::1/128'] as const

/** Writes the files of a Worker as a user would have them; its global `connect()` leads into the tunnel. */
/** Names and addresses under which behaviours reach their peers. */
const PEER_HOSTS = ['127.0.0.1', 'localhost', '[::1]']

async function writeWorker({ folder, harnessUrl, caPem }: HostOptions, tunnelId: string): Promise<string> {
  const configPath = join(folder, 'wrangler.jsonc')
  const config = {
    name: WORKER.name,
    main: WORKER.main,
    compatibility_date: WORKER.compatibilityDate,
    compatibility_flags: WORKER.compatibilityFlags,
    vpc_networks: [{ binding: 'NET', tunnel_id: tunnelId }],
    vars: { HARNESS: harnessUrl },
  }
  await writeFile(configPath, JSON.stringify(config))
  await writeFile(join(folder, 'ca.pem'), caPem)
  // As natively: the peers' CA is trusted, and there is no limit of connections (S-185).
  const tls = PEER_HOSTS.map((match) => ({ match, ca: 'ca.pem' }))
  await writeFile(join(folder, 'hawser.jsonc'), JSON.stringify({ egress: 'NET', tls, limits: { connections: 0 } }))
  return configPath
}

/** Hawser's module in workerd, through an edge, a tunnel and a connector, all in this process but for workerd. */
export async function startHawser(options: HostOptions): Promise<Host> {
  await using opening = new AsyncDisposableStack()
  const dataDir = join(options.folder, 'edge')
  const logger = silentLogger
  const edge = opening.use(await startEdge({ dataDir, tunnel: { host: '127.0.0.1', port: 0 }, logger }))
  const tunnel = await edge.directory.tunnels.create({ name: 'conformance' })
  const token = (await edge.tunnelToken(tunnel.id)).reveal()
  const connector = opening.use(await startConnector({ token, allow: ALLOWED, logger }))
  await connector.ready
  const configPath = await writeWorker(options, tunnel.id)
  const worker = opening.use(await runWorker({ configPath, host: edge, logger }))
  const owned = opening.move()
  return {
    name: 'hawser',
    hasBinding: true,
    carryOut: (order) => post(worker.url, order),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
