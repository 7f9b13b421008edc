/** The routes of an edge, in a process of their own: a million of them, looked up and read from a directory. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ACCOUNT_NETWORK, openDirectory, RoutingBuilder } from '@hawser/directory'
import type { Directory, NetworkRoutes, RoutingSnapshot } from '@hawser/directory'
import { parseIp } from '@hawser/policy'
import { serveRole } from '../role.ts'
import { manyHosts, manyRoutes, ROUTES, TUNNELS } from '../load/many-routes.ts'
import type { RouteKind } from '../load/many-routes.ts'

/** Look-ups of one measurement. */
const LOOKUPS = 1_000_000
const NETWORK = { id: 'v', name: 'default', isDefault: true }

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

let hosts: readonly string[] = []
let ours: NetworkRoutes | undefined
let naive: ((host: string) => string | undefined) | undefined
let directory: Directory | undefined
let snapshot: RoutingSnapshot | undefined
let emptyBytes = 0

function bytesInUse(): number {
  collectGarbage()
  collectGarbage() // the second finds the buffers of what the first has swept
  const { heapUsed, external } = process.memoryUsage() // array buffers are a part of what is external
  return heapUsed + external
}

const tunnelOf = (at: number): string => `tunnel-${at % TUNNELS}`

/** What one would write first: a map for each length of prefix, asked from the longest on; for names two maps. */
function mapsOf(kind: RouteKind, routes: readonly string[]): (host: string) => string | undefined {
  if (kind === 'hostname') {
    const names = new Map(routes.map((route, at) => [route, tunnelOf(at)]))
    return (host) => names.get(host) ?? names.get(`*${host.slice(host.indexOf('.'))}`)
  }
  const maps = new Map<number, Map<bigint, string>>()
  const bits = kind === 'ipv4' ? 32 : 128
  const keyOf = (text: string, prefix: number): bigint => {
    const words = parseIp(text)?.words ?? []
    return words.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n) >> BigInt(bits - prefix)
  }
  for (const [at, route] of routes.entries()) {
    const [text = '', length] = route.split('/')
    const prefix = Number(length)
    const map = maps.get(prefix) ?? new Map<bigint, string>()
    maps.set(prefix, map.set(keyOf(text, prefix), tunnelOf(at)))
  }
  const lengths = [...maps.keys()].toSorted((a, b) => b - a)
  return (host) => {
    const whole = keyOf(host, bits)
    for (const prefix of lengths) {
      const found = maps.get(prefix)?.get(whole >> BigInt(bits - prefix))
      if (found !== undefined) return found
    }
    return undefined
  }
}

/** Nanoseconds of one look-up, from the text of the host to the tunnel. */
function measure(find: (host: string) => unknown): number {
  let found = 0
  const startedAt = performance.now()
  for (let at = 0; at < LOOKUPS; at += 1) if (find(hosts[at % hosts.length] ?? '') !== undefined) found += 1
  const ns = ((performance.now() - startedAt) * 1e6) / LOOKUPS
  if (found < LOOKUPS / 2) throw new Error(`only ${found} of ${LOOKUPS} hosts were found`)
  return ns
}

const operations = {
  /** Compiles the routes of one kind, with the naive table beside them. */
  compile(kind: RouteKind): Promise<void> {
    const routes = manyRoutes(kind)
    hosts = manyHosts(kind, routes)
    const builder = new RoutingBuilder()
    builder.network(NETWORK)
    for (const [at, route] of routes.entries()) {
      if (kind === 'hostname') builder.hostname(route, tunnelOf(at))
      else builder.route(route, tunnelOf(at), NETWORK.id)
    }
    ours = builder.build('1').network(ACCOUNT_NETWORK)
    naive = mapsOf(kind, routes)
    for (const host of hosts.slice(0, 1_000)) {
      const [one, other] = [ours?.find(host)?.tunnelId, naive(host)]
      if (one !== other) throw new Error(`${host}: ${one} and ${other}`)
    }
    return Promise.resolve()
  },
  lookUp: (): Promise<number> => Promise.resolve(measure((host) => ours?.find(host))),
  lookUpNaively: (): Promise<number> => Promise.resolve(measure((host) => naive?.(host))),

  /** Makes a directory of a million routes, half of them IPv4. By hand, for a million calls of the API take an hour. */
  async fill(folder: string): Promise<void> {
    const options = { file: join(folder, 'directory.sqlite'), key: Buffer.alloc(32, 1) }
    const empty = await openDirectory(options)
    const [network] = await empty.virtualNetworks.list()
    await empty.close()
    const database = new DatabaseSync(options.file)
    // Nobody else has the file, and if it is lost it is made anew.
    database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -500000')
    const columns = 'id, network, first_address, last_address, tunnel_id, virtual_network_id, comment, created_at'
    const insert = database.prepare(`insert into routes (${columns}) values (?, ?, '', '', ?, ?, '', '')`)
    database.exec('begin')
    for (const kind of ['ipv4', 'ipv6'] as const) {
      for (const [at, route] of manyRoutes(kind, ROUTES / 2).entries()) {
        insert.run(crypto.randomUUID(), route, tunnelOf(at), network?.id ?? '')
      }
    }
    database.exec('commit')
    database.close()
    directory = await openDirectory(options)
    await directory.routes.list()
    emptyBytes = bytesInUse()
  },
  /** Seconds until the routes of the directory are ready for look-ups. */
  async load(): Promise<number> {
    snapshot = undefined
    const startedAt = performance.now()
    snapshot = await directory?.loadRouting()
    return (performance.now() - startedAt) / 1_000
  },
  /** MiB that this process holds with the routes loaded, more than before the first of them was. */
  async memory(): Promise<number> {
    snapshot = undefined
    snapshot = await directory?.loadRouting()
    if (snapshot?.network(ACCOUNT_NETWORK) === undefined) throw new Error('nothing was loaded')
    return (bytesInUse() - emptyBytes) / 2 ** 20
  },
}

export type RoutesOperations = typeof operations

serveRole(operations, async () => directory?.close())
