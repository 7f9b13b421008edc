import { fileURLToPath } from 'node:url'
import type { Side } from '../case.ts'
import { startForeign } from '../foreign.ts'
import type { Foreign } from '../foreign.ts'
import { LOOPBACK } from '../ports.ts'
import type { Scope } from '../scope.ts'
import { installWrangler, WRANGLER, wranglerAbsence } from './install-wrangler.ts'

const HAWSER = fileURLToPath(new URL('../../../packages/cli/bin/hawser.mjs', import.meta.url))

/** A command that serves the Worker project in a folder and serves it again after each change. */
export interface DevSide extends Side {
  /** Starts it on `port` of loopback; the caller waits until it answers. */
  start(scope: Scope, folder: string, port: number): Promise<Foreign>
}

/** Both run on this process's Node, as in continuous integration. */
function run(scope: Scope, folder: string, words: readonly string[], env: Record<string, string>): Promise<Foreign> {
  return startForeign(scope, process.execPath, words, { cwd: folder, env: { CI: 'true', NO_COLOR: '1', ...env } })
}

export const hawserDev: DevSide = {
  name: 'hawser',
  absence: () => Promise.resolve(undefined),
  start: (scope, folder, port) => run(scope, folder, [HAWSER, 'dev', '--port', `${port}`], {}),
}

/**
 * wrangler as it is without an account: `--local` leaves out the bindings that it would reach over the Internet, which it
 * cannot simulate. No question to any server: no usage figures, and without its banner no look for a newer version.
 */
export const wranglerDev: DevSide = {
  name: 'wrangler dev',
  prepare: installWrangler,
  absence: wranglerAbsence,
  start(scope, folder, port) {
    const words = ['dev', '--local', '--ip', LOOPBACK, '--port', `${port}`, '--inspector-port', '0']
    return run(scope, folder, [WRANGLER, ...words], {
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_SEND_ERROR_REPORTS: 'false',
      WRANGLER_HIDE_BANNER: 'true',
      WRANGLER_LOG_PATH: scope.folder,
      WRANGLER_REGISTRY_PATH: scope.folder,
      XDG_CONFIG_HOME: scope.folder,
    })
  },
}
