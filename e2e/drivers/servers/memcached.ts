import { userInfo } from 'node:os'
import { requireCommand } from '../support/commands.ts'
import { freePort, startProgram } from '../support/server.ts'
import type { ServerKind } from '../support/server.ts'

export const memcached: ServerKind = {
  name: 'memcached',
  apt: 'memcached',
  command: 'memcached',
  async start({ folder }, own) {
    const port = await freePort()
    const words = ['-l', '127.0.0.1', '-p', `${port}`, '-U', '0', '-I', '4m', '-u', userInfo().username]
    return { program: await startProgram(own, requireCommand('memcached'), words, { port, cwd: folder }), port }
  },
}
