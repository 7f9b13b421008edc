/** The same Worker on the same workerd, without Hawser: its own network service reaches private addresses directly. */
import { Miniflare } from 'miniflare'
import { LOOPBACK } from '../ports.ts'
import { serveRole } from '../role.ts'
import { COMPATIBILITY_DATE, WORKER_NAME, workerSource } from '../worker/source.ts'
import type { WorkerVars } from '../worker/source.ts'

let runtime: Miniflare | undefined

const operations = {
  /** Runs the Worker and gives its URL. */
  async run(vars: WorkerVars): Promise<string> {
    runtime = new Miniflare({
      name: WORKER_NAME,
      host: LOOPBACK,
      port: 0,
      modules: [{ type: 'ESModule', path: 'worker.mjs', contents: await workerSource() }],
      compatibilityDate: COMPATIBILITY_DATE,
      bindings: { ...vars },
      // As packages/workers sets them, so that the floor is not lowered by what Hawser leaves out.
      cf: false,
      stripCfConnectingIp: false,
      logRequests: false,
      telemetry: { enabled: false },
    })
    return (await runtime.ready).href
  },
}
export type WorkerdDirectOperations = typeof operations

serveRole(operations, async () => runtime?.dispose())
