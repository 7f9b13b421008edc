/** An edge with a Worker on workerd behind it, in one process as `hawser` runs them. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { silentLogger, tuneHeapForBuffers } from '@hawser/core'
import { runWorker } from '@hawser/workers'
import type { RunningWorker } from '@hawser/workers'
import { LOOPBACK } from '../ports.ts'
import { serveRole } from '../role.ts'
import { COMPATIBILITY_DATE, WORKER_NAME, workerSource } from '../worker/source.ts'
import type { WorkerVars } from '../worker/source.ts'
import { startEdgeWithTunnel } from './edge-with-tunnel.ts'
import type { EdgeWithTunnel } from './edge-with-tunnel.ts'

tuneHeapForBuffers() // as the command does

let site: EdgeWithTunnel | undefined
let worker: RunningWorker | undefined

/** Writes a Worker as a user would have it: a configuration file and its main module. */
async function writeWorker(folder: string, tunnelId: string, vars: WorkerVars): Promise<string> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'worker.mjs'), await workerSource())
  const config = {
    name: WORKER_NAME,
    main: 'worker.mjs',
    compatibility_date: COMPATIBILITY_DATE,
    vpc_networks: [{ binding: 'PRIVATE', tunnel_id: tunnelId }],
    vars,
  }
  const configPath = join(folder, 'wrangler.jsonc')
  await writeFile(configPath, JSON.stringify(config))
  return configPath
}

const operations = {
  /** Starts the edge and gives the token for its connector. */
  async start(dataDir: string): Promise<string> {
    site = await startEdgeWithTunnel(dataDir)
    return site.token
  },
  /** Runs the Worker with its files in `folder` and gives its URL. */
  async run({ folder, vars }: { folder: string; vars: WorkerVars }): Promise<string> {
    if (site === undefined) throw new Error('start comes first')
    const configPath = await writeWorker(folder, site.tunnelId, vars)
    const listen = { host: LOOPBACK, port: 0 }
    worker = await runWorker({ configPath, host: site.edge, listen, logger: silentLogger })
    return worker.url
  },
}
export type HawserWorkerOperations = typeof operations

serveRole(operations, async () => {
  await worker?.close()
  await site?.edge.close(0)
})
