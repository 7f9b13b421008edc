import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child } from './child.ts'
import { ProcessClock } from './clock.ts'
import { SmallDisk } from './disk.ts'
import type { PlanLimits } from './flow/plan.ts'
import { installHawser } from './installed.ts'
import type { LoadOrder } from './load/main.ts'
import { inside } from './net/ip.ts'
import { EDGE_ADDRESS, PRIVATE_NETWORK, TARGET_ADDRESS, Topology } from './net/topology.ts'
import { Supervised } from './supervised.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const TUNNEL = `${EDGE_ADDRESS}:7844`
/** What `hawser edge` logs when everything is up, its Worker included. */
export const EDGE_READY = /"message":"listening"/
/** What it logs as soon as connectors may come. */
export const EDGE_STARTED = /"message":"edge started"/
const TARGET_PORT = 9_000
const ECHO_PORT = 9_001

export interface StackOptions {
  readonly seed: number
  readonly replicas: number
  /** Of the namespaces' names. */
  readonly prefix: string
  /** For everything that is written, the logs apart. */
  readonly folder: string
  readonly logs: string
  readonly clientFlows: number
  readonly workerFlows: number
  readonly limits: PlanLimits
  /** Told of what went wrong by itself. */
  readonly onProblem: (problem: string) => void
}

/** Everything that runs: an edge with a Worker, connectors, the private service and the callers, each in its network. */
export class Stack implements AsyncDisposable {
  readonly topology: Topology
  readonly disk: SmallDisk
  readonly edge: Supervised
  readonly connectors: readonly Supervised[]
  /** Of the edge, then of the connectors; undefined where libfaketime is missing. */
  readonly clocks: readonly (ProcessClock | undefined)[]
  readonly target: Child
  readonly wire: Child
  readonly load: Child
  readonly #launcher: string
  readonly #owned: AsyncDisposableStack

  private constructor(
    parts: Pick<Stack, 'topology' | 'disk' | 'edge' | 'connectors' | 'clocks' | 'target' | 'wire' | 'load'>,
    launcher: string,
    owned: AsyncDisposableStack,
  ) {
    this.topology = parts.topology
    this.disk = parts.disk
    this.edge = parts.edge
    this.connectors = parts.connectors
    this.clocks = parts.clocks
    this.target = parts.target
    this.wire = parts.wire
    this.load = parts.load
    this.#launcher = launcher
    this.#owned = owned
  }

  /** Starts everything, or nothing. Resolves when the edge is up and every connector is at it. */
  static async open(options: StackOptions): Promise<Stack> {
    await using opening = new AsyncDisposableStack()
    const { seed, replicas, prefix, folder, logs, onProblem } = options
    const launcher = await installHawser(join(folder, 'installed'))
    const topology = opening.use(await Topology.open(prefix, replicas, join(folder, 'devices')))
    const disk = opening.use(await SmallDisk.open(join(folder, 'data')))
    const dataDir = join(disk.folder, 'edge')
    const node = (
      name: string,
      namespace: string,
      words: readonly string[],
      env?: Readonly<Record<string, string>>,
    ): Child => new Child({ namespace, words, env, channel: true, logPath: join(logs, `${name}.log`) })
    const started = (child: Child): Child => {
      opening.defer(() => child.kill())
      return child
    }
    // Each read of a device holds a thread until a frame comes.
    const threads = { UV_THREADPOOL_SIZE: String(2 * replicas + 2) }
    const wire = started(
      node('wire', topology.wire, [here('net/wire-main.ts'), String(seed), ...topology.devices], threads),
    )
    const targetWords = [here('target/main.ts'), String(seed), TARGET_ADDRESS, String(TARGET_PORT), String(ECHO_PORT)]
    const target = started(node('target', topology.target, targetWords))
    const clocks: (ProcessClock | undefined)[] = []
    for (let index = 0; index <= replicas; index += 1)
      clocks.push(await ProcessClock.open(join(folder, `clock-${index}`)))

    const hawser = (name: string, namespace: string, words: readonly string[], env: Readonly<Record<string, string>>) =>
      new Child({ namespace, words: [launcher, ...words], env, logPath: join(logs, `${name}.log`) })
    const edgeWords = edgeCommand(dataDir)
    const first = hawser('edge', topology.edge, edgeWords, {})
    opening.defer(() => first.kill())
    await first.line(EDGE_READY)
    const command = (...words: string[]): Promise<string> =>
      inside(topology.edge, process.execPath, launcher, ...words, '--data-dir', dataDir)
    const { id } = JSON.parse(await command('tunnel', 'create', 'chaos', '--json')) as { id: string }
    await command('client', 'create', 'chaos', '--network', 'chaos')
    const tunnelToken = (await command('tunnel', 'token', 'chaos')).trim()
    const token = (await command('client', 'token', 'chaos')).trim()
    first.signal('SIGTERM')
    await first.exited

    const config = await writeWorker(join(folder, 'worker'), id, seed)
    const allWords = [...edgeWords, '--worker', config, '--http', `${EDGE_ADDRESS}:8787`]
    const start = (name: string, namespace: string, words: readonly string[], index: number, env = {}) => {
      const service = new Supervised(
        name,
        () => hawser(name, namespace, words, { ...clocks[index]?.env, ...env }),
        onProblem,
      )
      opening.defer(() => service.kill())
      return service
    }
    const edge = start('edge', topology.edge, allWords, 0)
    await edge.start().line(EDGE_READY)
    const connectors = topology.connectors.map((namespace, index) =>
      start(`connector-${index}`, namespace, connectorCommand(), index + 1, { HAWSER_TUNNEL_TOKEN: tunnelToken }),
    )
    await Promise.all(connectors.map((connector) => connector.start().line(/connected to the edge/)))
    const order: LoadOrder = {
      seed,
      token,
      edge: `${EDGE_ADDRESS}:7846`,
      target: `${TARGET_ADDRESS}:${TARGET_PORT}`,
      echo: `${TARGET_ADDRESS}:${ECHO_PORT}`,
      worker: `http://${EDGE_ADDRESS}:8787`,
      clientFlows: options.clientFlows,
      workerFlows: options.workerFlows,
      limits: options.limits,
    }
    const load = started(node('load', topology.load, [here('load/main.ts')], { LOAD: JSON.stringify(order) }))
    return new Stack({ topology, disk, edge, connectors, clocks, target, wire, load }, launcher, opening.move())
  }

  /** Has the edge write to its data directory: makes a tunnel and deletes it. @returns what failed, with its code, if anything */
  async write(name: string): Promise<string | undefined> {
    const words = ['--data-dir', join(this.disk.folder, 'edge')]
    try {
      await inside(this.topology.edge, process.execPath, this.#launcher, 'tunnel', 'create', name, ...words)
      await inside(this.topology.edge, process.execPath, this.#launcher, 'tunnel', 'delete', name, ...words)
      return undefined
    } catch (error) {
      return error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync()
  }
}

function edgeCommand(dataDir: string): string[] {
  const listen = [
    '--tunnel',
    '0.0.0.0:7844',
    '--advertise',
    TUNNEL,
    '--api',
    '127.0.0.1:7845',
    '--clients',
    '0.0.0.0:7846',
  ]
  return ['edge', '--data-dir', dataDir, ...listen, '--log-format', 'json']
}

function connectorCommand(): string[] {
  return ['connector', 'run', '--edge', TUNNEL, '--allow', PRIVATE_NETWORK, '--log-format', 'json']
}

/** @returns where its configuration is */
async function writeWorker(folder: string, tunnelId: string, seed: number): Promise<string> {
  await mkdir(folder, { recursive: true })
  await cp(here('flow'), join(folder, 'flow'), { recursive: true })
  await cp(here('random.ts'), join(folder, 'random.ts'))
  await cp(here('worker/index.ts'), join(folder, 'worker', 'index.ts'))
  const config = {
    name: 'chaos',
    main: 'worker/index.ts',
    compatibility_date: '2026-06-01',
    vpc_networks: [{ binding: 'NET', tunnel_id: tunnelId, remote: true }],
    vars: { TARGET: `${TARGET_ADDRESS}:${TARGET_PORT}`, SEED: String(seed) },
  }
  const path = join(folder, 'wrangler.jsonc')
  await writeFile(path, JSON.stringify(config))
  return path
}
