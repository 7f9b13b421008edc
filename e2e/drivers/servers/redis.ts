import { requireCommand } from '../support/commands.ts'
import { freePort, PASSWORD, startProgram } from '../support/server.ts'
import type { ServerKind } from '../support/server.ts'

export const redis: ServerKind = {
  name: 'Redis',
  apt: 'redis-server',
  command: 'redis-server',
  async start({ folder, tls }, own) {
    const port = await freePort()
    const words = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--requirepass', PASSWORD]
    const listen =
      tls === undefined
        ? ['--port', `${port}`]
        : ['--port', '0', '--tls-port', `${port}`, '--tls-cert-file', tls.cert, '--tls-key-file', tls.key]
    const more = tls === undefined ? [] : ['--tls-ca-cert-file', tls.ca, '--tls-auth-clients', 'no']
    const program = await startProgram(own, requireCommand('redis-server'), [...words, ...listen, ...more], {
      port,
      cwd: folder,
    })
    return { program, port, password: PASSWORD }
  },
}
