import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findCommand, requireCommand } from '../find-command.ts'
import { runForeign, startForeign, untilListening } from '../foreign.ts'
import type { Foreign } from '../foreign.ts'
import { findFreePort, LOOPBACK } from '../ports.ts'
import type { Scope } from '../scope.ts'
import type { Peer, Way } from './peer.ts'

/** Debian calls version 4 and later stunnel4. */
const COMMANDS = ['stunnel', 'stunnel4'] as const
const NAME = 'bench.example'

function absence(): Promise<string | undefined> {
  if (findCommand(...COMMANDS) === undefined) return Promise.resolve('stunnel is not on PATH')
  if (findCommand('openssl') === undefined)
    return Promise.resolve('its certificate needs openssl, which is not on PATH')
  return Promise.resolve(undefined)
}

async function makeCertificate(scope: Scope, keyFile: string, certFile: string): Promise<void> {
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
  const name = ['-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`]
  await runForeign(scope, requireCommand('openssl'), ['req', ...kind, ...name, '-keyout', keyFile, '-out', certFile])
}

/** One end of the pair: TLS 1.3 with the cipher that the other sides use. */
async function startEnd(scope: Scope, name: string, port: number, connect: number, lines: string[]): Promise<Foreign> {
  const config = join(scope.folder, `${name}.conf`)
  const options = ['foreground = yes', 'pid =', 'debug = err', 'socket = l:TCP_NODELAY=1', 'socket = r:TCP_NODELAY=1']
  const addresses = [`accept = ${LOOPBACK}:${port}`, `connect = ${LOOPBACK}:${connect}`]
  const tls = ['sslVersion = TLSv1.3', 'ciphersuites = TLS_AES_128_GCM_SHA256']
  await writeFile(config, [...options, `[${name}]`, ...addresses, ...tls, ...lines, ''].join('\n'))
  const program = await startForeign(scope, requireCommand(...COMMANDS), [config])
  await untilListening(program, port, scope)
  return program
}

async function start(scope: Scope, targetPort: number): Promise<Way> {
  const [keyFile, certFile] = [join(scope.folder, 'key.pem'), join(scope.folder, 'cert.pem')]
  await makeCertificate(scope, keyFile, certFile)
  const [serverPort, entryPort] = [await findFreePort(), await findFreePort()]
  const serverLines = [`cert = ${certFile}`, `key = ${keyFile}`]
  const server = await startEnd(scope, 'server', serverPort, targetPort, serverLines)
  const clientLines = ['client = yes', `CAfile = ${certFile}`, 'verifyChain = yes', `checkHost = ${NAME}`]
  const client = await startEnd(scope, 'client', entryPort, serverPort, clientLines)
  return { port: entryPort, processes: [client.pid, server.pid] }
}

/** A client and a server of stunnel: one TLS connection for every connection carried. */
export const stunnel: Peer = { name: 'stunnel', absence, start }
