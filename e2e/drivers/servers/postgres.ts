import { chmod, chown, copyFile, readdir } from 'node:fs/promises'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { requireCommand } from '../support/commands.ts'
import { freePort, PASSWORD, runCommand, startProgram, writeConfig } from '../support/server.ts'
import type { ServerKind } from '../support/server.ts'

const USER = 'postgres'

/** Debian has a folder for each version and puts none of them on PATH. */
function folders(): string[] {
  const root = '/usr/lib/postgresql'
  try {
    return readdirSync(root)
      .toSorted()
      .toReversed()
      .map((version) => join(root, version, 'bin'))
  } catch {
    return []
  }
}

/** PostgreSQL refuses to run as root; its package brings a user of its own. */
function asUser(command: string, words: readonly string[]): [string, string[]] {
  if (process.getuid?.() !== 0) return [command, [...words]]
  return [requireCommand('setpriv'), [`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', command, ...words]]
}

async function giveAway(folder: string): Promise<void> {
  if (process.getuid?.() !== 0) return
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (word) => Number(await runCommand('id', [word, USER], folder))),
  )
  for (const path of ['.', ...(await readdir(folder))]) await chown(join(folder, path), uid ?? 0, gid ?? 0)
}

export const postgres: ServerKind = {
  name: 'PostgreSQL',
  apt: 'postgresql',
  command: 'initdb',
  folders: folders(),
  async start({ folder, tls }, own) {
    const port = await freePort()
    await writeConfig(folder, 'password', [PASSWORD])
    if (tls !== undefined) {
      await copyFile(tls.key, join(folder, 'server.key'))
      await chmod(join(folder, 'server.key'), 0o600)
      await copyFile(tls.cert, join(folder, 'server.crt'))
    }
    await giveAway(folder)
    const data = join(folder, 'data')
    const init = ['-D', data, '-U', USER, '-A', 'scram-sha-256', `--pwfile=${join(folder, 'password')}`, '-N']
    await runCommand(...asUser(requireCommand('initdb', folders()), init), folder)
    const settings = ['listen_addresses=127.0.0.1', `port=${port}`, `unix_socket_directories=${folder}`, 'fsync=off']
    if (tls !== undefined)
      settings.push('ssl=on', `ssl_key_file=${folder}/server.key`, `ssl_cert_file=${folder}/server.crt`)
    if (tls !== undefined) await writeConfig(data, 'pg_hba.conf', ['hostssl all all all scram-sha-256'])
    const words = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])]
    const [command, all] = asUser(requireCommand('postgres', folders()), words)
    const program = await startProgram(own, command, all, { port, cwd: folder })
    await program.line(/ready to accept connections/)
    return { program, port, user: USER, password: PASSWORD }
  },
}
