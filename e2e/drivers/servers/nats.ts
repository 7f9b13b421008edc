import { requireCommand } from '../support/commands.ts'
import { freePort, PASSWORD, startProgram } from '../support/server.ts'
import type { ServerKind } from '../support/server.ts'

export const nats: ServerKind = {
  name: 'nats-server',
  apt: 'nats-server',
  command: 'nats-server',
  async start({ folder, tls }, own) {
    const port = await freePort()
    const words = ['--addr', '127.0.0.1', '--port', `${port}`, '--user', 'driver', '--pass', PASSWORD]
    if (tls !== undefined) words.push('--tls', '--tlscert', tls.cert, '--tlskey', tls.key)
    const program = await startProgram(own, requireCommand('nats-server'), words, { port, cwd: folder })
    return { program, port, user: 'driver', password: PASSWORD }
  },
}
