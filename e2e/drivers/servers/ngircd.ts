import { join } from 'node:path'
import { requireCommand } from '../support/commands.ts'
import { freePort, PASSWORD, runCommand, startProgram, writeConfig } from '../support/server.ts'
import type { ServerKind } from '../support/server.ts'

export const ngircd: ServerKind = {
  name: 'ngIRCd',
  apt: 'ngircd',
  command: 'ngircd',
  async start({ folder, tls }, own) {
    const port = await freePort()
    const lines = [
      '[Global]',
      'Name = irc.example.com',
      'Info = drivers',
      'Listen = 127.0.0.1',
      `Password = ${PASSWORD}`,
    ]
    if (tls === undefined) lines.push(`Ports = ${port}`)
    // Without a penalty, or 1 MB would take the better part of an hour.
    lines.push('[Limits]', 'MaxPenaltyTime = 0', 'MaxNickLength = 20', 'MaxConnectionsIP = 0')
    lines.push('[Options]', 'DNS = no', 'Ident = no', 'PAM = no')
    if (tls !== undefined) {
      // It would take its time to find parameters of its own.
      const words = ['genpkey', '-genparam', '-algorithm', 'DH', '-pkeyopt', 'group:ffdhe2048', '-out', 'dh.pem']
      await runCommand(requireCommand('openssl'), words, folder)
      lines.push(
        '[SSL]',
        `DHFile = ${join(folder, 'dh.pem')}`,
        `CertFile = ${tls.cert}`,
        `KeyFile = ${tls.key}`,
        `Ports = ${port}`,
      )
    }
    const config = await writeConfig(folder, 'ngircd.conf', lines)
    const program = await startProgram(own, requireCommand('ngircd'), ['-n', '-f', config], { port, cwd: folder })
    return { program, port, password: PASSWORD }
  },
}
