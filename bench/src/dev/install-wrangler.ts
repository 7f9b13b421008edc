import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const FOLDER = fileURLToPath(new URL('../../wrangler/', import.meta.url))
/** A download of some 60 MB. */
const INSTALL_MS = 300_000

interface Manifest {
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, string>>
}

async function readManifest(path: string): Promise<Manifest> {
  try {
    return JSON.parse(await readFile(`${FOLDER}${path}package.json`, 'utf8')) as Manifest
  } catch {
    return {}
  }
}

/** The script that Node runs as `wrangler`. */
export const WRANGLER = `${FOLDER}node_modules/wrangler/bin/wrangler.js`

/** Why wrangler cannot be run here, or undefined. */
export async function wranglerAbsence(): Promise<string | undefined> {
  const wanted = (await readManifest('')).dependencies?.['wrangler']
  const found = (await readManifest('node_modules/wrangler/')).version
  if (wanted === found) return undefined
  return `wrangler ${wanted} is not installed (npm ci in bench/wrangler, which the first run of this case tries)`
}

/** Installs wrangler where it is missing: a dependency of these cases alone. @throws {Error} when npm fails */
export async function installWrangler(signal: AbortSignal): Promise<void> {
  if ((await wranglerAbsence()) === undefined) return
  const limit = AbortSignal.any([signal, AbortSignal.timeout(INSTALL_MS)])
  await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: FOLDER, signal: limit })
}
