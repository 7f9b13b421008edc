import { spawnSync } from 'node:child_process'
import { findCommand } from './commands.ts'
import type { ServerKind } from './server.ts'

function aptGet(...words: string[]): boolean {
  // Debian starts a server as soon as it is installed, but not at run level 1; the runs start their own on free ports.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const all = ['-qq', '-y', '--no-install-recommends', ...words]
  return spawnSync('apt-get', all, { env, stdio: ['ignore', 2, 2] }).status === 0
}

/** Installs the servers that are missing where that is possible (Debian, root); what stays missing is skipped later. */
export function installServers(kinds: readonly ServerKind[], say: (line: string) => void): void {
  const missing = kinds.filter(
    ({ command, folders }) => command !== undefined && findCommand(command, folders) === undefined,
  )
  const packages = [...new Set(missing.flatMap(({ apt = [] }) => apt))]
  if (packages.length === 0) return
  if (process.getuid?.() !== 0 || findCommand('apt-get') === undefined) {
    say(`missing: ${packages.join(', ')} (not root on Debian: the drivers that need them are skipped)`)
    return
  }
  say(`installing servers: ${packages.join(', ')}`)
  if (aptGet('install', ...packages)) return
  aptGet('update')
  // One by one: a package that is not to be had must not keep out the others.
  for (const name of packages) if (!aptGet('install', name)) say(`apt-get could not install ${name}`)
}
