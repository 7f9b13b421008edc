import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startConnector } from '@hawser/connector'
import type { Logger } from '@hawser/core'
import { startEdge } from '@hawser/edge'
import { runWorker } from '@hawser/workers'
import type { DriverEntry } from '../matrix.ts'
import type { WorkerHost, WorkerSite } from './worker-host.ts'

/** How Workers name the machine that the drivers' servers are on. */
const HOSTS = ['localhost', '127.0.0.1']

async function writeWorker(folder: string, entry: DriverEntry, tunnelId: string, caPem: string): Promise<string> {
  const configPath = join(folder, 'wrangler.jsonc')
  const config = {
    name: 'driver',
    main: fileURLToPath(new URL(`../fixtures/${entry.name}.ts`, import.meta.url)),
    compatibility_date: '2026-07-01',
    compatibility_flags: ['nodejs_compat'],
    ...entry.wrangler,
    vpc_networks: [{ binding: 'NET', tunnel_id: tunnelId }],
  }
  await writeFile(configPath, JSON.stringify(config))
  await writeFile(join(folder, 'ca.pem'), caPem)
  const tls = HOSTS.map((match) => ({ match, ca: 'ca.pem' }))
  await writeFile(join(folder, 'hawser.jsonc'), JSON.stringify({ egress: 'NET', tls }))
  return configPath
}

/** Workers through an edge, a tunnel and a connector that reaches this machine alone. */
export async function startHawserHost(caPem: string, logger: Logger): Promise<WorkerHost> {
  await using opening = new AsyncDisposableStack()
  const dataDir = await mkdtemp(join(tmpdir(), 'hawser-drivers-edge-'))
  opening.defer(() => rm(dataDir, { recursive: true, force: true }))
  const edge = opening.use(await startEdge({ dataDir, tunnel: { host: '127.0.0.1', port: 0 }, logger }))
  const tunnel = await edge.directory.tunnels.create({ name: 'drivers' })
  const token = (await edge.tunnelToken(tunnel.id)).reveal()
  const connector = opening.use(await startConnector({ token, allow: ['127.0.0.0/8', '::1/128'], logger }))
  await connector.ready
  const owned = opening.move()
  return {
    async start(entry): Promise<WorkerSite> {
      await using starting = new AsyncDisposableStack()
      const folder = await mkdtemp(join(tmpdir(), 'hawser-drivers-worker-'))
      starting.defer(() => rm(folder, { recursive: true, force: true }))
      const configPath = await writeWorker(folder, entry, tunnel.id, caPem)
      const worker = starting.use(await runWorker({ configPath, host: edge, logger }))
      const own = starting.move()
      return { url: worker.url, [Symbol.asyncDispose]: () => own.disposeAsync() }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
