import { join } from 'node:path'
import type { Side } from '../case.ts'
import type { HawserConnectorOperations } from '../roles/hawser-connector.ts'
import type { HawserWorkerOperations } from '../roles/hawser-worker.ts'
import type { WorkerdDirectOperations } from '../roles/workerd-direct.ts'
import { startRole } from '../role.ts'
import type { Scope } from '../scope.ts'
import type { WorkerVars } from '../worker/source.ts'

/** A way of running the bench's Worker. */
export interface WorkerSide extends Side {
  /** Starts it in `scope` and gives its URL, with a slash at the end. */
  start(scope: Scope, vars: WorkerVars): Promise<string>
}

const present = (): Promise<undefined> => Promise.resolve(undefined)
const withSlash = (url: string): string => (url.endsWith('/') ? url : `${url}/`)

/** workerd, edge, tunnel, connector: `env.PRIVATE.connect()` and `env.PRIVATE.fetch()`. */
export const workerOnHawser: WorkerSide = {
  name: 'hawser',
  absence: present,
  async start(scope, vars) {
    const worker = await startRole<HawserWorkerOperations>(scope, 'hawser-worker')
    const token = await worker.call('start', join(scope.folder, 'edge'))
    const connector = await startRole<HawserConnectorOperations>(scope, 'hawser-connector')
    await connector.call('start', token)
    return withSlash(await worker.call('run', { folder: join(scope.folder, 'worker'), vars }))
  },
}

/** The floor: nothing between workerd and the private service. */
export const workerOnWorkerd: WorkerSide = {
  name: 'workerd',
  absence: present,
  async start(scope, vars) {
    const worker = await startRole<WorkerdDirectOperations>(scope, 'workerd-direct')
    return withSlash(await worker.call('run', vars))
  },
}
