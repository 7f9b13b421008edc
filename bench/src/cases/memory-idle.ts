import { setTimeout as sleep } from 'node:timers/promises'
import { defineCase } from '../case.ts'
import type { Case } from '../case.ts'
import { residentKiB } from '../memory.ts'
import { hawser } from '../peers/hawser.ts'
import type { Peer } from '../peers/peer.ts'
import { ssh } from '../peers/ssh.ts'
import type { LoadOperations } from '../roles/load.ts'
import type { TargetOperations } from '../roles/target.ts'
import { startRole } from '../role.ts'
import type { RoleHandle } from '../role.ts'
import type { Scope } from '../scope.ts'
import { startPeer } from './start-peer.ts'

const STREAMS = 1_000
/** Processes that have just started, or just been used, still move. */
const SETTLE_MS = 800

interface Resident {
  readonly before: number
  readonly after: number
}

/** Fresh processes every time: memory that a process once had it rarely gives back. */
async function residentWithIdle(
  scope: Scope,
  peer: Peer,
  load: RoleHandle<LoadOperations>,
  port: number,
): Promise<Resident> {
  await using own = await scope.nested()
  const way = await startPeer(own, peer, port)
  const settled = async (): Promise<number> => {
    await sleep(SETTLE_MS, undefined, { signal: scope.signal })
    return residentKiB(way.processes)
  }
  try {
    // The first connection loads code that every process needs once, however many follow.
    await load.call('hold', { port: way.port, streams: 1 })
    const before = await settled()
    const held = await load.call('hold', { port: way.port, streams: STREAMS })
    if (held !== STREAMS + 1) throw new Error(`${held} of ${STREAMS + 1} connections stayed open`)
    return { before, after: await settled() }
  } finally {
    await load.call('release')
  }
}

function memoryCase(name: string, summary: string, unit: string, figure: (resident: Resident) => number): Case {
  return defineCase<Peer>({
    name,
    summary,
    unit,
    better: 'less',
    ours: hawser,
    peers: [ssh],
    async open(scope) {
      const target = await startRole<TargetOperations>(scope, 'target')
      const load = await startRole<LoadOperations>(scope, 'load')
      const port = await target.call('listen', 'echo')
      return (peer) => Promise.resolve(async () => figure(await residentWithIdle(scope, peer, load, port)))
    },
  })
}

const growth = ({ before, after }: Resident): number => (after - before) / STREAMS
const total = ({ after }: Resident): number => after / 1024

export const memoryIdle: readonly Case[] = [
  memoryCase(
    `memory-idle-${STREAMS}`,
    `resident memory that ${STREAMS} idle connections add to both ends together, for each`,
    'KiB/connection',
    growth,
  ),
  memoryCase(
    `memory-resident-${STREAMS}`,
    `resident memory of both ends together while they hold ${STREAMS} idle connections`,
    'MiB',
    total,
  ),
]
