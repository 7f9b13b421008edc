/** The servers and tools that tests use beyond npm, and how a bare Debian machine gets them. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, globSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Debian package by the command it brings. Tests skip, with the reason printed, what is still missing afterwards. */
const NEEDED: Readonly<Record<string, string>> = {
  'redis-server': 'redis-server',
  ip: 'iproute2',
  faketime: 'faketime',
  openssl: 'openssl',
  mariadbd: 'mariadb-server',
  mosquitto: 'mosquitto',
  postgres: 'postgresql',
}

const SEARCHED = [
  ...(process.env['PATH'] ?? '').split(delimiter),
  '/usr/sbin',
  '/sbin',
  ...globSync('/usr/lib/postgresql/*/bin'), // where Debian keeps it, out of everybody's way
]

function isInstalled(command: string): boolean {
  return SEARCHED.some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function aptGet(...words: string[]): boolean {
  // Debian starts a server as soon as it is installed, except in the runlevel for maintenance; the tests start their own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const result = spawnSync('apt-get', ['-qq', '-y', '--no-install-recommends', ...words], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  return result.status === 0
}

/** Installs what is missing where that is possible (Debian, root), and says what it did and what stays missing. */
export function installSystemPackages(): void {
  const missing = Object.keys(NEEDED).filter((command) => !isInstalled(command))
  if (missing.length === 0) return
  if (process.getuid?.() !== 0 || !isInstalled('apt-get')) {
    process.stdout.write(
      `missing commands: ${missing.join(', ')} (not root on Debian: the tests that use them are skipped)\n`,
    )
    return
  }
  const packages = missing.map((command) => NEEDED[command] ?? command)
  process.stdout.write(`installing for the tests: ${packages.join(', ')}\n`)
  if (!aptGet('install', ...packages)) {
    aptGet('update')
    if (!aptGet('install', ...packages))
      process.stdout.write('apt-get could not install them: the tests that use them are skipped\n')
  }
}
