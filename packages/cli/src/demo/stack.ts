import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatHostPort, HawserError } from '@hawser/core'
import type { FlowRecord, HostPort, Logger } from '@hawser/core'
import { startEdge } from '@hawser/edge'
import { runWorker } from '@hawser/workers'
import type { RunningWorker } from '@hawser/workers'
import { SIDE_VARIABLE } from './side.ts'
import type { PrivateSideOrder, PrivateSideReady } from './side.ts'

/** Ports to use if they are free; 0 for any. */
export interface DemoPorts {
  readonly worker: number
  readonly database: number
  readonly inventory: number
}

/** The whole demo: private network and connector in one process, edge and Worker in this one. */
export interface DemoStack extends AsyncDisposable {
  readonly worker: RunningWorker
  readonly tunnelAddress: HostPort
  readonly databasePort: number
  readonly inventoryPort: number
  /** The last flows the edge recorded, oldest first. */
  flows(): readonly FlowRecord[]
}

export interface DemoOptions {
  readonly ports: DemoPorts
  /** Folder of `examples/demo`. */
  readonly example: string
  /** Path of the `hawser` launcher, which also starts the private side. */
  readonly launcher: string
  readonly logger: Logger
  readonly signal: AbortSignal
}

/** The tunnel that `examples/demo/wrangler.jsonc` names. */
const TUNNEL_ID = '550e8400-e29b-41d4-a716-446655440000'
const LOOPBACK = '127.0.0.1'
const MAX_FLOWS = 100
/** The private side closes in well under this; after it, it is killed, so that Ctrl-C never takes 2 s. */
const PRIVATE_SIDE_GRACE_MS = 1000

function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => child.once('exit', () => resolve()))
}

async function stopPrivateSide(child: ChildProcess): Promise<void> {
  if (child.connected) child.disconnect()
  const kill = setTimeout(() => child.kill('SIGKILL'), PRIVATE_SIDE_GRACE_MS)
  await exited(child)
  clearTimeout(kill)
}

function answerOf(child: ChildProcess, signal: AbortSignal): Promise<PrivateSideReady> {
  return new Promise((resolve, reject) => {
    const fail = (message: string): void => reject(new HawserError('destination_unavailable', message))
    child.once('message', (message) => resolve(message as PrivateSideReady))
    child.once('exit', (code) => fail(`the process of the private network ended with ${code ?? 'a signal'}`))
    child.once('error', (error) => fail(`the process of the private network did not start: ${error.message}`))
    signal.addEventListener('abort', () => fail('the demo was stopped while it started'), { once: true })
  })
}

/** Opens everything, or nothing: a failure half way closes what was already open. */
export async function startDemoStack(options: DemoOptions): Promise<DemoStack> {
  const { ports, example, launcher, logger, signal } = options
  const flows: FlowRecord[] = []
  const remember = (flow: FlowRecord): void => {
    flows.push(flow)
    if (flows.length > MAX_FLOWS) flows.shift()
  }
  await using opening = new AsyncDisposableStack()
  const dataDir = await mkdtemp(join(tmpdir(), 'hawser-demo-'))
  opening.defer(() => rm(dataDir, { recursive: true, force: true }))
  const edge = opening.use(
    await startEdge({
      dataDir,
      tunnel: { host: LOOPBACK, port: 0 },
      logger: logger.child({ part: 'edge' }),
      onFlow: remember,
    }),
  )
  await edge.directory.tunnels.create({ name: 'demo' }, TUNNEL_ID)
  const token = await edge.tunnelToken(TUNNEL_ID)

  const child = fork(launcher, ['demo'], {
    env: { ...process.env, [SIDE_VARIABLE]: 'private' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  opening.defer(() => stopPrivateSide(child))
  const order: PrivateSideOrder = { token: token.reveal(), database: ports.database, inventory: ports.inventory }
  child.send(order)
  const ready = await answerOf(child, signal)

  const worker = opening.use(
    await runWorker({
      configPath: join(example, 'wrangler.jsonc'),
      host: edge,
      listen: { host: LOOPBACK, port: ports.worker },
      logger: logger.child({ part: 'worker' }),
      vars: {
        DATABASE_URL: `postgres://postgres@localhost:${ready.database}/postgres`,
        INVENTORY_URL: `http://localhost:${ready.inventory}`,
      },
    }),
  )
  signal.throwIfAborted()
  const owned = opening.move()
  return {
    worker,
    tunnelAddress: edge.tunnelAddress,
    databasePort: ready.database,
    inventoryPort: ready.inventory,
    flows: () => flows,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** The lines that say what runs where. */
export function describeStack(stack: DemoStack): readonly string[] {
  return [
    `private   PostgreSQL on ${LOOPBACK}:${stack.databasePort}, an HTTP API on ${LOOPBACK}:${stack.inventoryPort}, and a connector, in a process of their own`,
    `edge      tunnel listener on ${formatHostPort(stack.tunnelAddress)}`,
    `Worker    ${stack.worker.url}   (examples/demo, on workerd)`,
  ]
}
