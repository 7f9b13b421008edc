import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('..', import.meta.url))

interface Manifest {
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
}

async function readManifest(path: string): Promise<Manifest | undefined> {
  try {
    return JSON.parse(await readFile(new URL(`../${path}package.json`, import.meta.url), 'utf8')) as Manifest
  } catch {
    return undefined
  }
}

/** Of a package of this folder; undefined for what is none. */
export async function installedVersion(name: string): Promise<string | undefined> {
  return (await readManifest(`node_modules/${name}/`))?.version
}

async function isComplete(): Promise<boolean> {
  const wanted = Object.entries((await readManifest(''))?.dependencies ?? {})
  const found = await Promise.all(wanted.map(async ([name, version]) => (await installedVersion(name)) === version))
  return found.every((same) => same)
}

/** The clients are heavy and no part of the workspace: they are installed when they are first used. @throws when npm fails */
export async function installOwnPackages(say: (line: string) => void): Promise<void> {
  if (await isComplete()) return
  say('installing the packages of e2e/drivers')
  // What npm prints is progress, and standard output is for the result.
  const { status, error } = spawnSync('npm', ['ci'], { cwd: FOLDER, stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error(`npm ci in e2e/drivers ended with ${status ?? error?.message}`)
}
