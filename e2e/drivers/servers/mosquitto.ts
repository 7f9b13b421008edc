import { userInfo } from 'node:os'
import { requireCommand } from '../support/commands.ts'
import { freePort, PASSWORD, runCommand, startProgram, writeConfig } from '../support/server.ts'
import type { ServerKind } from '../support/server.ts'

export const mosquitto: ServerKind = {
  name: 'Mosquitto',
  apt: 'mosquitto',
  command: 'mosquitto',
  async start({ folder, tls }, own) {
    const port = await freePort()
    const users = await writeConfig(folder, 'users', [`driver:${PASSWORD}`])
    await runCommand(requireCommand('mosquitto_passwd'), ['-U', users], folder)
    const access = await writeConfig(folder, 'access', ['user driver', 'topic readwrite open/#'])
    const lines = [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous false',
      `password_file ${users}`,
      `acl_file ${access}`,
    ]
    lines.push(`user ${userInfo().username}`, 'persistence false')
    if (tls !== undefined) lines.push(`certfile ${tls.cert}`, `keyfile ${tls.key}`)
    const config = await writeConfig(folder, 'mosquitto.conf', lines)
    const program = await startProgram(own, requireCommand('mosquitto'), ['-c', config], { port, cwd: folder })
    return { program, port, user: 'driver', password: PASSWORD }
  },
}
