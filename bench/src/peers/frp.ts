import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findCommand, requireCommand } from '../find-command.ts'
import { startForeign, untilListening } from '../foreign.ts'
import type { Foreign } from '../foreign.ts'
import { findFreePort, LOOPBACK } from '../ports.ts'
import type { Scope } from '../scope.ts'
import type { Peer, Way } from './peer.ts'

function absence(): Promise<string | undefined> {
  const missing = ['frps', 'frpc'].find((command) => findCommand(command) === undefined)
  return Promise.resolve(missing === undefined ? undefined : `${missing} is not on PATH`)
}

/** Starts one end with `config` beside what both have in common. frp reads JSON as it reads TOML. */
async function startEnd(scope: Scope, command: 'frps' | 'frpc', config: object): Promise<Foreign> {
  const file = join(scope.folder, `${command}.json`)
  const common = { log: { level: 'error' }, auth: { method: 'token', token: 'bench' } }
  await writeFile(file, JSON.stringify({ ...common, ...config }))
  return startForeign(scope, requireCommand(command), ['-c', file])
}

async function start(scope: Scope, targetPort: number): Promise<Way> {
  const [serverPort, entryPort] = [await findFreePort(), await findFreePort()]
  const server = await startEnd(scope, 'frps', {
    bindAddr: LOOPBACK,
    bindPort: serverPort,
    proxyBindAddr: LOOPBACK,
    transport: { tls: { force: true } },
  })
  await untilListening(server, serverPort, scope)
  // TLS is on by default, and so is multiplexing: one connection carries all.
  const client = await startEnd(scope, 'frpc', {
    serverAddr: LOOPBACK,
    serverPort,
    proxies: [{ name: 'bench', type: 'tcp', localIP: LOOPBACK, localPort: targetPort, remotePort: entryPort }],
  })
  await untilListening(client, entryPort, scope)
  return { port: entryPort, processes: [server.pid, client.pid] }
}

/** frps and frpc with TLS and their default multiplexing; as with Hawser, the end at the target opens the connection. */
export const frp: Peer = { name: 'frp', absence, start }
