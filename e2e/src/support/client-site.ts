import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startConnector } from '@hawser/connector'
import type { FlowRecord, TlsRule } from '@hawser/core'
import { startEdge } from '@hawser/edge'
import type { Edge } from '@hawser/edge'
import { CapturedLog } from '@hawser/testkit'
// By path: the name stands for what was last built.
import { vpcNetwork } from '../../../packages/sockets/src/index.ts'
import type { VpcBinding } from '../../../packages/sockets/src/index.ts'

/** Any free port. */
export const ANY = { host: '127.0.0.1', port: 0 } as const

/** A real edge that takes clients, a tunnel named `office`, and a real connector on this machine. */
export class ClientSite implements AsyncDisposable {
  readonly log = new CapturedLog()
  readonly flows: FlowRecord[] = []
  readonly #owned: AsyncDisposableStack
  readonly edge: Edge
  readonly tunnelId: string

  private constructor(
    owned: AsyncDisposableStack,
    edge: Edge,
    tunnelId: string,
    parts: Pick<ClientSite, 'log' | 'flows'>,
  ) {
    this.#owned = owned
    this.edge = edge
    this.tunnelId = tunnelId
    this.log = parts.log
    this.flows = parts.flows
  }

  static async open(deny: readonly string[] = [], clientsTls: readonly TlsRule[] = []): Promise<ClientSite> {
    await using opening = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'hawser-clients-'))
    opening.defer(() => rm(folder, { recursive: true, force: true }))
    const log = new CapturedLog()
    const flows: FlowRecord[] = []
    const onFlow = (flow: FlowRecord): void => void flows.push(flow)
    const edge = await startEdge({
      dataDir: join(folder, 'edge'),
      tunnel: ANY,
      clients: ANY,
      clientsTls,
      logger: log,
      onFlow,
    })
    opening.defer(() => edge.close(0))
    const { id } = await edge.directory.tunnels.create({ name: 'office' })
    const token = (await edge.tunnelToken(id)).reveal()
    const connector = await startConnector({ token, deny, logger: log })
    opening.defer(() => connector.close(0))
    await connector.ready
    return new ClientSite(opening.move(), edge, id, { log, flows })
  }

  /** Taken back with the site. */
  own<T extends AsyncDisposable>(thing: T): T {
    return this.#owned.use(thing)
  }

  /** A client that may use the tunnel's network. */
  async token(name = 'batch'): Promise<string> {
    const client = await this.edge.directory.clients.create({ name, networks: [this.tunnelId] })
    return (await this.edge.clientToken(client.id)).reveal()
  }

  async network(): Promise<VpcBinding> {
    return this.own(vpcNetwork({ token: await this.token(), network: 'office' }))
  }

  /** A server in the private network. */
  async serve(server: Server): Promise<{ readonly address: string; readonly port: number }> {
    const sockets = new Set<Socket>()
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => sockets.delete(socket))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    this.#owned.defer(async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    })
    const { port } = server.address() as AddressInfo
    return { address: `127.0.0.1:${port}`, port }
  }

  http(listener: RequestListener): Promise<{ readonly address: string; readonly port: number }> {
    return this.serve(createHttpServer({ requireHostHeader: false }, listener))
  }

  tcp(onConnection: (socket: Socket) => void): Promise<{ readonly address: string; readonly port: number }> {
    return this.serve(createServer({ allowHalfOpen: true }, onConnection))
  }

  async flowsEnded(count: number): Promise<readonly FlowRecord[]> {
    while (this.flows.length < count) await new Promise(setImmediate)
    return this.flows
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync()
  }
}

export function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content)
}

/** What it fails with. */
export async function thrown(promise: PromiseLike<unknown>): Promise<Error & { code?: string; flow?: string }> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof Error)
    return error
  }
  return assert.fail('expected a rejection')
}
