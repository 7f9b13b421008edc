export { runWorker } from './run-worker.ts'
export type { RunningWorker, RunWorkerOptions } from './run-worker.ts'
export { readWorkerConfig } from './config.ts'
export type { VpcNetworkBinding, WorkerConfig } from './config.ts'
