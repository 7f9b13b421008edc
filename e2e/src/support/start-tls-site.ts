import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startConnector } from '@hawser/connector'
import { silentLogger } from '@hawser/core'
import type { FlowRecord } from '@hawser/core'
import { startEdge } from '@hawser/edge'
import { runWorker } from '@hawser/workers'
import type { Driver } from './upgrade-protocols.ts'

const WORKER = fileURLToPath(new URL('../fixtures/start-tls/index.ts', import.meta.url))
/**
 * Where the Worker reaches its servers. A name is resolved by the connector; nodemailer wants to resolve it itself, with
 * `node:dns`, for which workerd asks a public resolver.
 */
const HOSTS: Readonly<Record<Driver, string>> = { pg: 'localhost', mysql2: 'localhost', nodemailer: '127.0.0.1' }

/** What a driver is to say inside TLS, and nowhere else. */
export const ACCOUNT = { user: 'hawser', password: 's3cret-password', secret: 's3cret-message' } as const

/** What the Worker tells of a driver's attempt. */
export interface Attempt {
  readonly answer?: unknown
  readonly failed?: string
  readonly code?: string
}

/** The Worker with the drivers on workerd, an edge that trusts one CA for their servers, and a connector. */
export interface StartTlsSite extends AsyncDisposable {
  /** Has the driver sign in at a port of loopback, and send its secret. */
  attempt(driver: Driver, port: number, account?: Partial<Record<keyof typeof ACCOUNT, string>>): Promise<Attempt>
  /** The flow to that port, once it has ended. */
  flow(port: number): Promise<FlowRecord>
}

async function writeWorker(folder: string, tunnelId: string, caPem: string): Promise<string> {
  const configPath = join(folder, 'wrangler.jsonc')
  const config = {
    name: 'start-tls',
    main: WORKER,
    compatibility_date: '2026-06-01',
    compatibility_flags: ['nodejs_compat'],
    vpc_networks: [{ binding: 'NET', tunnel_id: tunnelId }],
  }
  await writeFile(configPath, JSON.stringify(config))
  await writeFile(join(folder, 'ca.pem'), caPem)
  await writeFile(
    join(folder, 'hawser.jsonc'),
    JSON.stringify({
      egress: 'NET',
      tls: [...new Set(Object.values(HOSTS))].map((match) => ({ match, ca: 'ca.pem' })),
    }),
  )
  return configPath
}

/** Flows by the port they went to, each a promise that somebody may already be waiting for. */
class EndedFlows {
  readonly #byPort = new Map<number, PromiseWithResolvers<FlowRecord>>()

  add(flow: FlowRecord): void {
    this.#at(flow.target?.port ?? 0).resolve(flow)
  }

  to(port: number): Promise<FlowRecord> {
    return this.#at(port).promise
  }

  #at(port: number): PromiseWithResolvers<FlowRecord> {
    const known = this.#byPort.get(port) ?? Promise.withResolvers<FlowRecord>()
    this.#byPort.set(port, known)
    return known
  }
}

export async function startStartTlsSite(caPem: string): Promise<StartTlsSite> {
  await using opening = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'hawser-start-tls-'))
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const flows = new EndedFlows()
  const logger = silentLogger
  const tunnel = { host: '127.0.0.1', port: 0 }
  const edge = opening.use(
    await startEdge({ dataDir: join(folder, 'edge'), tunnel, logger, onFlow: (flow) => flows.add(flow) }),
  )
  const { id } = await edge.directory.tunnels.create({ name: 'start-tls' })
  const token = (await edge.tunnelToken(id)).reveal()
  const connector = opening.use(await startConnector({ token, allow: ['127.0.0.0/8', '::1/128'], logger }))
  await connector.ready
  const configPath = await writeWorker(folder, id, caPem)
  const worker = opening.use(await runWorker({ configPath, host: edge, logger }))
  const owned = opening.move()
  return {
    async attempt(driver, port, account = {}) {
      const body = JSON.stringify({ driver, host: HOSTS[driver], port, ...ACCOUNT, ...account })
      return (await (await worker.fetch('/', { method: 'POST', body })).json()) as Attempt
    },
    flow: (port) => flows.to(port),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
