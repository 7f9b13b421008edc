import { findCommand, requireCommand } from '../find-command.ts'
import { startForeign, untilListening } from '../foreign.ts'
import { findFreePort, LOOPBACK } from '../ports.ts'
import type { Scope } from '../scope.ts'
import type { Peer, Way } from './peer.ts'

const COMMAND = 'chisel'

function absence(): Promise<string | undefined> {
  return Promise.resolve(findCommand(COMMAND) === undefined ? `${COMMAND} is not on PATH` : undefined)
}

async function start(scope: Scope, targetPort: number): Promise<Way> {
  const command = requireCommand(COMMAND)
  const [serverPort, entryPort] = [await findFreePort(), await findFreePort()]
  const server = await startForeign(scope, command, ['server', '--host', LOOPBACK, '--port', `${serverPort}`])
  await untilListening(server, serverPort, scope)
  const remote = `${LOOPBACK}:${entryPort}:${LOOPBACK}:${targetPort}`
  const client = await startForeign(scope, command, ['client', `http://${LOOPBACK}:${serverPort}`, remote])
  await untilListening(client, entryPort, scope)
  return { port: entryPort, processes: [client.pid, server.pid] }
}

/** A client and a server of chisel: the protocol of ssh over one WebSocket. */
export const chisel: Peer = { name: 'chisel', absence, start }
