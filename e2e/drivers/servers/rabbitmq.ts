import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { requireCommand } from '../support/commands.ts'
import { freePort, startProgram, writeConfig } from '../support/server.ts'
import type { ServerKind } from '../support/server.ts'

/** The script itself: the one on PATH wants to change to another user. */
function folders(): string[] {
  const root = '/usr/lib/rabbitmq/lib'
  try {
    return readdirSync(root).map((version) => join(root, version, 'sbin'))
  } catch {
    return []
  }
}

function findServer(): string {
  const [folder] = folders()
  return folder === undefined ? requireCommand('rabbitmq-server') : join(folder, 'rabbitmq-server')
}

export const rabbitmq: ServerKind = {
  name: 'RabbitMQ',
  apt: 'rabbitmq-server',
  command: 'rabbitmq-server',
  async start({ folder, tls }, own) {
    const [port, names, cluster] = [await freePort(), await freePort(), await freePort()]
    const kind = tls === undefined ? 'tcp' : 'ssl'
    const lines = [`listeners.${kind}.default = 127.0.0.1:${port}`]
    if (tls !== undefined) {
      lines.push('listeners.tcp = none', `ssl_options.cacertfile = ${tls.ca}`, `ssl_options.certfile = ${tls.cert}`)
      lines.push(`ssl_options.keyfile = ${tls.key}`, 'ssl_options.verify = verify_none')
    }
    await writeConfig(folder, 'rabbitmq.conf', lines)
    await writeConfig(folder, 'enabled_plugins', ['[].'])
    // Its own register of names: Erlang would leave one running.
    await startProgram(own, requireCommand('epmd'), ['-port', `${names}`, '-address', '127.0.0.1'], {
      port: names,
      cwd: folder,
    })
    const env = {
      HOME: folder,
      ERL_EPMD_PORT: `${names}`,
      RABBITMQ_NODENAME: `drivers${port}@localhost`,
      RABBITMQ_DIST_PORT: `${cluster}`,
      RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
      RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
      RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
      RABBITMQ_LOG_BASE: join(folder, 'log'),
      RABBITMQ_LOGS: '-',
      RABBITMQ_PID_FILE: join(folder, 'pid'),
    }
    const program = await startProgram(own, findServer(), [], { port, cwd: folder, env })
    await program.line(/Server startup complete/)
    return { program, port, user: 'guest', password: 'guest' }
  },
}
