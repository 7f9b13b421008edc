import { constants } from 'node:fs'
import { access, mkdir, rmdir, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { findCommand, requireCommand } from '../find-command.ts'
import { runForeign, startForeign, untilListening } from '../foreign.ts'
import { findFreePort, LOOPBACK } from '../ports.ts'
import type { Scope } from '../scope.ts'
import type { Peer, Way } from './peer.ts'

/** sshd run by root insists on this folder; distributions make it when their own sshd starts. */
const PRIVSEP_FOLDER = '/run/sshd'

async function canUse(folder: string, mode: number): Promise<boolean> {
  return access(folder, mode).then(
    () => true,
    () => false,
  )
}

async function absence(): Promise<string | undefined> {
  for (const command of ['ssh', 'sshd', 'ssh-keygen']) {
    if (findCommand(command) === undefined) return `${command} is not on PATH`
  }
  if (process.getuid?.() !== 0 || (await canUse(PRIVSEP_FOLDER, constants.F_OK))) return undefined
  if (await canUse(dirname(PRIVSEP_FOLDER), constants.W_OK)) return undefined
  return `sshd needs the folder ${PRIVSEP_FOLDER}, which is missing and cannot be made`
}

async function providePrivsepFolder(scope: Scope): Promise<void> {
  if (process.getuid?.() !== 0) return
  const made = await mkdir(PRIVSEP_FOLDER, { recursive: true, mode: 0o755 })
  if (made !== undefined) scope.defer(() => rmdir(PRIVSEP_FOLDER).catch(() => {}))
}

function serverConfig(folder: string, port: number): string {
  return `
ListenAddress ${LOOPBACK}
Port ${port}
HostKey ${join(folder, 'host')}
AuthorizedKeysFile ${join(folder, 'client.pub')}
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
MaxStartups 1000
AllowTcpForwarding yes
Compression no
LogLevel ERROR
`
}

function clientWords(folder: string, serverPort: number, entryPort: number, targetPort: number): string[] {
  const options = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'StrictHostKeyChecking=no',
    `UserKnownHostsFile=${join(folder, 'known')}`,
    'ExitOnForwardFailure=yes',
    'ControlPath=none',
    'Compression=no',
    'LogLevel=ERROR',
  ]
  const forward = `${LOOPBACK}:${entryPort}:${LOOPBACK}:${targetPort}`
  const words = ['-N', '-F', 'none', '-i', join(folder, 'client'), '-p', `${serverPort}`, '-L', forward]
  return [...words, ...options.flatMap((option) => ['-o', option]), `${userInfo().username}@${LOOPBACK}`]
}

async function start(scope: Scope, targetPort: number): Promise<Way> {
  await providePrivsepFolder(scope)
  for (const key of ['host', 'client']) {
    const words = ['-q', '-t', 'ed25519', '-N', '', '-f', join(scope.folder, key)]
    await runForeign(scope, requireCommand('ssh-keygen'), words)
  }
  const [serverPort, entryPort] = [await findFreePort(), await findFreePort()]
  const config = join(scope.folder, 'sshd_config')
  await writeFile(config, serverConfig(scope.folder, serverPort))
  const server = await startForeign(scope, requireCommand('sshd'), ['-D', '-e', '-f', config])
  await untilListening(server, serverPort, scope)
  const words = clientWords(scope.folder, serverPort, entryPort, targetPort)
  const client = await startForeign(scope, requireCommand('ssh'), words)
  await untilListening(client, entryPort, scope)
  return { port: entryPort, processes: [client.pid, server.pid] }
}

/** `ssh -L` to an sshd of our own: many connections over one. */
export const ssh: Peer = { name: 'ssh -L', absence, start }
