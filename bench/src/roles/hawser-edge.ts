/** The edge's end of a tunnel, with a port on loopback whose connections are dialled through it. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { resetStream, splice, Stop, tuneHeapForBuffers } from '@hawser/core'
import { LOOPBACK, portOf } from '../ports.ts'
import { serveRole } from '../role.ts'
import { dialerOf, startEdgeWithTunnel } from './edge-with-tunnel.ts'
import type { EdgeWithTunnel } from './edge-with-tunnel.ts'

tuneHeapForBuffers() // as the command does

const DIAL_MS = 10_000
const BACKLOG = 4_096

let site: EdgeWithTunnel | undefined
let server: Server | undefined

async function carry(client: Socket, running: EdgeWithTunnel, targetPort: number): Promise<void> {
  client.on('error', () => {}) // the splice reports it; before the splice there is nobody to tell
  try {
    const target = { host: LOOPBACK, port: targetPort, flowId: 'bench', timeoutMs: DIAL_MS }
    // A signal of its own, as each flow has: listeners come and gone on a shared one keep each other alive.
    const dialed = await dialerOf(running).dial(target, new Stop())
    await splice(client, dialed.channel ?? dialed.stream, { forward: 0, backward: 0 })
  } catch {
    resetStream(client) // the load generator notices, counts it as a failure and says so
  }
}

const operations = {
  /** Starts the edge and gives the token for its connector. */
  async start(dataDir: string): Promise<string> {
    site = await startEdgeWithTunnel(dataDir)
    return site.token
  },
  /** Opens the port whose connections go to `targetPort` at the connector's side, once there is a connector. */
  async listen(targetPort: number): Promise<number> {
    const running = site
    if (running === undefined) throw new Error('start comes first')
    dialerOf(running)
    server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => void carry(client, running, targetPort))
    server.listen(0, LOOPBACK, BACKLOG)
    await once(server, 'listening')
    return portOf(server)
  },
}
export type HawserEdgeOperations = typeof operations

serveRole(operations, async () => {
  server?.close()
  await site?.edge.close(0)
})
