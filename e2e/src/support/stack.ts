import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hawser, runHawser } from './process.ts'
import type { Program } from './process.ts'

const PROBE = fileURLToPath(new URL('../fixtures/probe/index.ts', import.meta.url))

export interface StackOptions {
  /** More words for `hawser connector run`. */
  readonly connector?: readonly string[]
  /** Where the tunnel listener binds; `127.0.0.1:0` unless given. */
  readonly tunnelListen?: string
  /** Lines of `hawser.jsonc` beside the Worker. */
  readonly hawserJsonc?: string
}

/** An edge with the probe Worker, and a connector of its tunnel: three commands, as a user would type them. */
export interface Stack extends AsyncDisposable {
  readonly edge: Program
  readonly tunnelAddress: string
  readonly apiAddress: string
  readonly tunnelId: string
  readonly token: string
  connector: Program
  /** Calls the probe Worker. */
  ask(path: string, query?: Record<string, string>, init?: RequestInit): Promise<Response>
  startConnector(): Promise<Program>
}

interface EdgeFile {
  readonly tunnel: string
  readonly api: string
  readonly http: string
}

/** Waits for the line by which `hawser edge` says that it is up, and reads the addresses it wrote down. */
async function edgeAddresses(edge: Program, dataDir: string): Promise<EdgeFile> {
  await edge.line(/^Next:/)
  return JSON.parse(await readFile(join(dataDir, 'edge.json'), 'utf8')) as EdgeFile
}

function startEdge(dataDir: string, options: StackOptions, ...more: string[]): Program {
  const tunnel = options.tunnelListen ?? '127.0.0.1:0'
  const words = ['edge', '--data-dir', dataDir, '--tunnel', tunnel, '--api', '127.0.0.1:0', '--log-level', 'debug']
  return hawser([...words, ...more])
}

async function writeWorker(folder: string, tunnelId: string, hawserJsonc: string | undefined): Promise<string> {
  await cp(PROBE, join(folder, 'index.ts'))
  const config = {
    name: 'probe',
    main: 'index.ts',
    compatibility_date: '2026-06-01',
    compatibility_flags: ['nodejs_compat'],
    vpc_networks: [{ binding: 'NET', tunnel_id: tunnelId, remote: true }],
  }
  const path = join(folder, 'wrangler.jsonc')
  await writeFile(path, JSON.stringify(config))
  if (hawserJsonc !== undefined) await writeFile(join(folder, 'hawser.jsonc'), hawserJsonc)
  return path
}

/** Makes the tunnel with a first run of the edge, then starts the edge again with the Worker: what it made must last. */
async function createTunnel(dataDir: string, options: StackOptions): Promise<string> {
  await using first = startEdge(dataDir, options)
  await edgeAddresses(first, dataDir)
  const created = JSON.parse(await runHawser('tunnel', 'create', 'e2e', '--data-dir', dataDir, '--json')) as {
    id: string
  }
  return created.id
}

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  await using opening = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'hawser-e2e-'))
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const dataDir = join(folder, 'edge')
  const tunnelId = await createTunnel(dataDir, options)
  const config = await writeWorker(folder, tunnelId, options.hawserJsonc)
  const edge = opening.use(startEdge(dataDir, options, '--worker', config, '--http', '127.0.0.1:0'))
  const addresses = await edgeAddresses(edge, dataDir)
  const token = (await runHawser('tunnel', 'token', 'e2e', '--data-dir', dataDir)).trim()
  const startConnector = async (): Promise<Program> => {
    const words = ['connector', 'run', '--edge', addresses.tunnel, '--log-level', 'debug', ...(options.connector ?? [])]
    const program = hawser(words, { HAWSER_TUNNEL_TOKEN: token })
    await program.line(/connected to the edge/)
    return program
  }
  const stack = {
    edge,
    tunnelAddress: addresses.tunnel,
    apiAddress: new URL(addresses.api).host,
    tunnelId,
    token,
    connector: await startConnector(),
    startConnector,
    ask: (path: string, query: Record<string, string> = {}, init: RequestInit = {}) =>
      fetch(`${addresses.http}${path}?${new URLSearchParams(query).toString()}`, init),
  }
  opening.defer(() => stack.connector[Symbol.asyncDispose]())
  const owned = opening.move()
  return Object.assign(stack, { [Symbol.asyncDispose]: () => owned.disposeAsync() })
}
