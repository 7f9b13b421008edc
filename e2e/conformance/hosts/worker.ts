import { fileURLToPath } from 'node:url'

/** How the Worker with the behaviours is run, the same under workerd alone and under Hawser. */
export const WORKER = {
  name: 'conformance',
  main: fileURLToPath(new URL('../worker/worker.ts', import.meta.url)),
  compatibilityDate: '2026-07-01',
  compatibilityFlags: ['nodejs_compat'],
} as const
