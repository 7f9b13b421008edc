import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
// By path: the name stands for what was last built.
import { vpcNetwork } from '../../../packages/sockets/src/index.ts'
import type { VpcBinding } from '../../../packages/sockets/src/index.ts'
import { hawser, runHawser } from './process.ts'
import type { Program } from './process.ts'

/** An edge that takes clients, and connectors of one tunnel: commands, as a user would type them. */
export interface ClientStack extends AsyncDisposable {
  readonly edge: Program
  readonly network: VpcBinding
  /** Starts another connector; resolves when it is connected. The stack ends it. */
  connect(...words: string[]): Promise<Program>
}

export async function startClientStack(): Promise<ClientStack> {
  await using opening = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'hawser-e2e-'))
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const dir = ['--data-dir', join(folder, 'edge')]
  const listen = ['--tunnel', '127.0.0.1:0', '--api', '127.0.0.1:0', '--clients', '127.0.0.1:0']
  const edge = opening.use(hawser(['edge', ...dir, ...listen]))
  await edge.line(/^Next:/)
  await runHawser('tunnel', 'create', 'office', ...dir)
  await runHawser('client', 'create', 'batch', '--network', 'office', ...dir)
  const tunnelToken = (await runHawser('tunnel', 'token', 'office', ...dir)).trim()
  const token = (await runHawser('client', 'token', 'batch', ...dir)).trim()
  const { tunnel } = JSON.parse(await readFile(join(folder, 'edge', 'edge.json'), 'utf8')) as { tunnel: string }
  const network = opening.use(vpcNetwork({ token, network: 'office' }))
  const owned = opening.move()
  return {
    edge,
    network,
    async connect(...words) {
      const run = ['connector', 'run', '--edge', tunnel, ...words]
      const connector = owned.use(hawser(run, { HAWSER_TUNNEL_TOKEN: tunnelToken }))
      await connector.line(/connected to the edge/)
      return connector
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** A server in this process whose every connection goes to `serve`, half-open allowed. */
export async function privateServer(serve: (socket: Socket) => void): Promise<AsyncDisposable & { address: string }> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
    serve(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
