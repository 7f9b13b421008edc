import { readFile } from 'node:fs/promises'

/** The Worker that both sides run, byte for byte the same; `env.PRIVATE` is all that differs. */
export function workerSource(): Promise<string> {
  return readFile(new URL('worker.mjs', import.meta.url), 'utf8')
}

/** What the Worker is told of the private service. */
export interface WorkerVars {
  /** `host:port` that answers each message of 64 bytes with one. */
  readonly ECHO: string
  /** URL that answers a GET. */
  readonly HTTP: string
}

export const WORKER_NAME = 'bench'
export const COMPATIBILITY_DATE = '2026-07-01'
