import { join } from 'node:path'
import { userInfo } from 'node:os'
import { requireCommand } from '../support/commands.ts'
import { freePort, PASSWORD, runCommand, startProgram, writeConfig } from '../support/server.ts'
import type { ServerKind } from '../support/server.ts'

export const mariadb: ServerKind = {
  name: 'MariaDB',
  apt: 'mariadb-server',
  command: 'mariadbd',
  async start({ folder, tls }, own) {
    const port = await freePort()
    const data = join(folder, 'data')
    const user = `--user=${userInfo().username}`
    const install = ['--no-defaults', user, `--datadir=${data}`, '--auth-root-authentication-method=normal']
    await runCommand(requireCommand('mariadb-install-db'), [...install, '--skip-test-db', '--skip-log-bin'], folder)
    const sql = await writeConfig(folder, 'init.sql', [
      'create database if not exists test;',
      `create or replace user 'driver'@'%' identified by '${PASSWORD}'${tls === undefined ? '' : ' require ssl'};`,
      `grant all on *.* to 'driver'@'%';`,
    ])
    const words = ['--no-defaults', user, `--datadir=${data}`, `--port=${port}`, '--bind-address=127.0.0.1']
    words.push(`--socket=${join(folder, 'socket')}`, `--init-file=${sql}`, '--max-allowed-packet=16M')
    words.push('--innodb-flush-log-at-trx-commit=0', '--skip-name-resolve')
    if (tls !== undefined) words.push(`--ssl-cert=${tls.cert}`, `--ssl-key=${tls.key}`, `--ssl-ca=${tls.ca}`)
    const program = await startProgram(own, requireCommand('mariadbd'), words, { port, cwd: folder })
    return { program, port, user: 'driver', password: PASSWORD }
  },
}
