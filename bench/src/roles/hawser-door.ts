/** An edge with one tunnel and one binding, whose CONNECT door the load generator uses as a Worker's module does. */
import { silentLogger, tuneHeapForBuffers } from '@hawser/core'
import type { BindingDoors } from '@hawser/core'
import { startConnector } from '@hawser/connector'
import type { Connector } from '@hawser/connector'
import { LOOPBACK } from '../ports.ts'
import { serveRole } from '../role.ts'
import { startEdgeWithTunnel } from './edge-with-tunnel.ts'
import type { EdgeWithTunnel } from './edge-with-tunnel.ts'

tuneHeapForBuffers() // as the command does

let site: EdgeWithTunnel | undefined
let doors: BindingDoors | undefined
let connector: Connector | undefined

export interface DoorOptions {
  readonly dataDir: string
  /** Whether the edge resumes TLS sessions with its targets. */
  readonly sessions: boolean
  /** Of the CA that signed the target's certificate. */
  readonly caPem: string
}

/** Where a CONNECT goes, and what it must know. */
export interface Door {
  readonly port: number
  readonly capability: string
}

const operations = {
  /** Starts the edge, the connector in the same process as `hawser dev` has it, and opens the binding. */
  async start({ dataDir, sessions, caPem }: DoorOptions): Promise<Door> {
    site = await startEdgeWithTunnel(dataDir, { tlsSessions: sessions })
    connector = await startConnector({ token: site.token, logger: silentLogger })
    await connector.ready
    doors = await site.edge.openBinding({
      worker: 'bench',
      binding: 'PRIVATE',
      network: { kind: 'tunnel', tunnelId: site.tunnelId },
      tls: [{ host: LOOPBACK, caPem }],
      connectionLimit: 0,
    })
    return { port: Number(doors.connectAddress.split(':').at(-1)), capability: doors.capability.reveal() }
  },
  /** How many of the flows that the edge remembers spoke TLS, and how many of those resumed a session. */
  secured(): Promise<{ readonly total: number; readonly resumed: number }> {
    const secured = site?.edge.recentFlows().filter(({ tls }) => tls !== undefined) ?? []
    return Promise.resolve({
      total: secured.length,
      resumed: secured.filter(({ tls }) => tls?.resumed === true).length,
    })
  },
}
export type HawserDoorOperations = typeof operations

serveRole(operations, async () => {
  await connector?.close(0)
  await doors?.[Symbol.asyncDispose]()
  await site?.edge.close(0)
})
