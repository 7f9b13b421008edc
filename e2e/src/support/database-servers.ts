import { execFile, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestCertificate } from '@hawser/testkit'
import { Program } from './process.ts'
import { ACCOUNT } from './start-tls-site.ts'

/** A real server of the test's own that takes TLS connections only, with {@link ACCOUNT} as an account. */
export interface DatabaseServer extends AsyncDisposable {
  readonly port: number
}

const run = promisify(execFile)

/** Neither server takes port 0 as "any". */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A folder, and files in it, that only `user` can read; removed with `owner`. */
async function privateFolder(
  owner: AsyncDisposableStack,
  user: string | undefined,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-database-'))
  owner.defer(() => rm(folder, { recursive: true, force: true }))
  const ids = user === undefined ? undefined : ['-u', '-g'].map((flag) => idOf(flag, user))
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text)
    await chmod(join(folder, name), 0o600)
  }
  for (const path of [folder, ...Object.keys(files).map((name) => join(folder, name))]) {
    if (ids !== undefined) await chown(path, ids[0] ?? 0, ids[1] ?? 0)
  }
  return folder
}

function idOf(flag: string, user: string): number {
  return Number(spawnSync('id', [flag, user], { encoding: 'utf8' }).stdout)
}

/** Servers refuse to run as root; then as the account that Debian's package made for them. */
function accountFor(name: string): string | undefined {
  return process.getuid?.() === 0 && spawnSync('id', [name]).status === 0 ? name : undefined
}

function as(user: string | undefined, command: string, words: readonly string[]): [string, string[]] {
  return user === undefined ? [command, [...words]] : ['runuser', ['-u', user, '--', command, ...words]]
}

/** Where the newest version is that Debian's package has put there, or undefined. */
function postgresFolder(): string | undefined {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).toSorted((a, b) => Number(b) - Number(a)) : []
  return versions.map((version) => join(root, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')))
}

/** Undefined where the machine has no PostgreSQL. */
export async function startPostgres(certificate: TestCertificate): Promise<DatabaseServer | undefined> {
  const bin = postgresFolder()
  if (bin === undefined) return undefined
  await using opening = new AsyncDisposableStack()
  const user = accountFor('postgres')
  const { certPem, keyPem } = certificate
  const files = { 'cert.pem': certPem, 'key.pem': keyPem, password: ACCOUNT.password }
  const folder = await privateFolder(opening, user, files)
  const data = join(folder, 'data')
  const account = ['-U', ACCOUNT.user, `--pwfile=${join(folder, 'password')}`, '-A', 'password']
  await run(...as(user, join(bin, 'initdb'), ['-D', data, '-E', 'UTF8', '--no-sync', ...account]), { cwd: folder })
  await writeFile(join(data, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 password\n')
  const port = await freePort()
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    ssl: 'on',
    ssl_cert_file: join(folder, 'cert.pem'),
    ssl_key_file: join(folder, 'key.pem'),
  }
  const words = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = opening.use(new Program(...as(user, join(bin, 'postgres'), ['-D', data, ...words]), {}, folder))
  await server.line(/ready to accept connections/)
  const owned = opening.move()
  return { port, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

function findCommand(...names: string[]): string | undefined {
  const folders = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin']
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path))
}

/** Undefined where the machine has no MariaDB. */
export async function startMariadb(certificate: TestCertificate): Promise<DatabaseServer | undefined> {
  const [server, install] = [findCommand('mariadbd'), findCommand('mariadb-install-db')]
  if (server === undefined || install === undefined) return undefined
  await using opening = new AsyncDisposableStack()
  const user = accountFor('mysql')
  const { user: name, password } = ACCOUNT
  const account = `CREATE USER '${name}'@'%' IDENTIFIED BY '${password}' REQUIRE SSL;\n`
  const { certPem, keyPem } = certificate
  const files = { 'cert.pem': certPem, 'key.pem': keyPem, 'init.sql': account }
  const folder = await privateFolder(opening, user, files)
  const data = `--datadir=${join(folder, 'data')}`
  const made = ['--no-defaults', data, '--auth-root-authentication-method=normal', '--skip-test-db']
  await run(...as(user, install, made), { cwd: folder })
  const port = await freePort()
  const settings = {
    port,
    'bind-address': '127.0.0.1',
    socket: join(folder, 'socket'),
    'pid-file': join(folder, 'pid'),
    'init-file': join(folder, 'init.sql'),
    'ssl-cert': join(folder, 'cert.pem'),
    'ssl-key': join(folder, 'key.pem'),
  }
  const words = ['--no-defaults', data, ...Object.entries(settings).map(([key, value]) => `--${key}=${value}`)]
  const program = opening.use(new Program(...as(user, server, words), {}, folder))
  await program.line(/ready for connections/)
  const owned = opening.move()
  return { port, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
