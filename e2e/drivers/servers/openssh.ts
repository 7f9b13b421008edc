import { mkdir, readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { requireCommand } from '../support/commands.ts'
import { freePort, runCommand, startProgram, writeConfig } from '../support/server.ts'
import type { ServerKind } from '../support/server.ts'

export const openssh: ServerKind = {
  name: 'OpenSSH',
  apt: 'openssh-server',
  command: 'sshd',
  async start({ folder }, own) {
    const port = await freePort()
    // sshd run by root insists on this folder, which is there once the system's own sshd has run.
    if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 })
    for (const name of ['host', 'client']) {
      const words = ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]
      await runCommand(requireCommand('ssh-keygen'), words, folder)
    }
    const config = await writeConfig(folder, 'sshd_config', [
      'ListenAddress 127.0.0.1',
      `Port ${port}`,
      `HostKey ${join(folder, 'host')}`,
      `AuthorizedKeysFile ${join(folder, 'client.pub')}`,
      'PidFile none',
      'StrictModes no',
      'UsePAM no',
      'PermitRootLogin yes',
      'PasswordAuthentication no',
      'Subsystem sftp internal-sftp',
    ])
    const program = await startProgram(own, requireCommand('sshd'), ['-D', '-e', '-f', config], { port, cwd: folder })
    const privateKey = await readFile(join(folder, 'client'), 'utf8')
    return { program, port, user: userInfo().username, extra: { privateKey, folder } }
  },
}
