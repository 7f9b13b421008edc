import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { defineCase } from '../case.ts'
import type { Case, Side } from '../case.ts'
import { residentKiB } from '../memory.ts'
import { chisel } from '../peers/chisel.ts'
import { frp } from '../peers/frp.ts'
import { hawser } from '../peers/hawser.ts'
import type { Peer } from '../peers/peer.ts'
import type { LoadOperations } from '../roles/load.ts'
import type { TargetOperations } from '../roles/target.ts'
import { startRole } from '../role.ts'
import type { RoleHandle } from '../role.ts'
import type { Scope } from '../scope.ts'
import { startPeer } from './start-peer.ts'

/** More than `ssh -L` can be asked for: it looks at all of them each time, and opens the last ones at a hundred a second. */
const FLOWS = 10_000
const FEW = 10
/** What one idle flow is meant to take at most, of each end. */
const LIMIT_BYTES = 12_000
/** Beside its flows, what a process has open. */
const OTHER_FILES = 200
/** Until buffers that were used while connecting have been swept. */
const SETTLE_MS = 2_000
const EXCHANGES = 1_000

const run = promisify(execFile)

/** Why this machine does not let a process hold so many connections, or undefined. */
async function tooFewFiles(): Promise<string | undefined> {
  const { stdout } = await run('sh', ['-c', 'ulimit -Hn'])
  const limit = stdout.trim()
  if (limit === 'unlimited' || Number(limit) >= FLOWS + OTHER_FILES) return undefined
  return `it takes ${FLOWS + OTHER_FILES} open files a process, and ulimit -Hn is ${limit}`
}

/** A process that the sides of a case are compared by: the one at the load generator, or the one at the target. */
type End = 'near' | 'far'

interface MemorySide extends Side {
  /** Resident bytes that each idle flow adds to one end. */
  measure(scope: Scope, end: End): Promise<number>
}

async function hold(load: RoleHandle<LoadOperations>, port: number, streams: number, total: number): Promise<void> {
  const held = await load.call('hold', { port, streams })
  if (held !== total) throw new Error(`${held} of ${total} connections stayed open`)
}

/** Fresh processes every time: memory that a process once had it rarely gives back. */
async function growthOf(scope: Scope, peer: Peer, end: End): Promise<number> {
  await using own = await scope.nested()
  const target = await startRole<TargetOperations>(own, 'target')
  const load = await startRole<LoadOperations>(own, 'load')
  const { port, processes } = await startPeer(own, peer, await target.call('listen', 'echo'))
  const pids = processes.slice(...(end === 'near' ? [0, 1] : [1, 2]))
  const settled = async (): Promise<number> => {
    await sleep(SETTLE_MS, undefined, { signal: scope.signal })
    return residentKiB(pids)
  }
  await hold(load, port, FEW, FEW) // code that every process loads once, however many follow
  const before = await settled()
  await hold(load, port, FLOWS, FLOWS + FEW)
  return (((await settled()) - before) * 1024) / FLOWS
}

function memoryOf(peer: Peer): MemorySide {
  return {
    name: peer.name,
    absence: async () => (await tooFewFiles()) ?? peer.absence(),
    measure: (scope, end) => growthOf(scope, peer, end),
  }
}

/** No program, but what a flow may take: a ratio above 1 keeps to it. */
const limit: MemorySide = {
  name: `${LIMIT_BYTES / 1_000} KB`,
  absence: () => Promise.resolve(undefined),
  measure: () => Promise.resolve(LIMIT_BYTES),
}

function memoryCase(name: string, end: End, ofWhat: string): Case {
  return defineCase<MemorySide>({
    name: `idle-${FLOWS}-${name}`,
    summary: `resident memory that ${FLOWS} idle connections add to ${ofWhat}, for each`,
    unit: 'bytes/flow',
    better: 'less',
    warmUps: 0,
    ours: memoryOf(hawser),
    peers: [limit, memoryOf(frp), memoryOf(chisel)],
    open: (scope) => Promise.resolve((side) => Promise.resolve(() => side.measure(scope, end))),
  })
}

/** A way with so many idle connections through it. */
interface LatencySide extends Side {
  readonly peer: Peer
  readonly flows: number
}

function latencyOf(name: string, peer: Peer, flows: number): LatencySide {
  return { name, peer, flows, absence: async () => (await tooFewFiles()) ?? peer.absence() }
}

const latencyCase: Case = defineCase<LatencySide>({
  name: `idle-${FLOWS}-latency`,
  summary: `median time of the next small exchange on any of ${FLOWS} idle connections`,
  unit: 'µs',
  better: 'less',
  ours: latencyOf('hawser', hawser, FLOWS),
  peers: [
    latencyOf(`hawser with ${FEW}`, hawser, FEW),
    latencyOf('frp', frp, FLOWS),
    latencyOf('chisel', chisel, FLOWS),
  ],
  open: (scope) =>
    Promise.resolve(async ({ peer, flows }) => {
      const target = await startRole<TargetOperations>(scope, 'target')
      const load = await startRole<LoadOperations>(scope, 'load')
      const { port } = await startPeer(scope, peer, await target.call('listen', 'echo'))
      await hold(load, port, flows, flows)
      return () => load.call('exchangeEach', EXCHANGES)
    }),
})

export const idle10000: readonly Case[] = [
  memoryCase('edge', 'near', 'the edge, or to the end of a peer at the load generator'),
  memoryCase('connector', 'far', 'the connector, or to the other end of a peer'),
  latencyCase,
]
