import { setTimeout as sleep } from 'node:timers/promises'
import { defineCase, RATE_WARM_UPS } from '../case.ts'
import type { Case, Measurement, Side } from '../case.ts'
import { residentKiB } from '../memory.ts'
import { hawser } from '../peers/hawser.ts'
import type { Peer, Way } from '../peers/peer.ts'
import { ssh } from '../peers/ssh.ts'
import type { LoadOperations } from '../roles/load.ts'
import type { TargetOperations } from '../roles/target.ts'
import { startRole } from '../role.ts'
import type { RoleHandle } from '../role.ts'
import { startPeer } from './start-peer.ts'
import { SPAN } from './tunnel-case.ts'

/** Flows at full speed beside the one whose reader has stopped. */
const FLOWS = 20
/** Until everything between the source and the reader that has stopped is full. */
const FILL_MS = 300

interface StallSide extends Side {
  readonly peer: Peer
  /** Whether there is a reader that has stopped. */
  readonly stalls: boolean
}

const withStalled = (peer: Peer): StallSide => ({
  name: peer.name,
  peer,
  stalls: true,
  absence: () => peer.absence(),
})

/** What is to be lost nothing of. */
const withoutStalled: StallSide = { ...withStalled(hawser), name: 'nobody stopped', stalls: false }

/** Runs `body` with the stopped reader in its place, if there is one. */
async function beside<T>(
  load: RoleHandle<LoadOperations>,
  way: Way,
  stalls: boolean,
  body: () => Promise<T>,
): Promise<T> {
  if (!stalls) return body()
  await load.call('stall', way.port)
  try {
    await sleep(FILL_MS)
    return await body()
  } finally {
    await load.call('unstall')
  }
}

function stallCase(
  label: Pick<Case, 'name' | 'summary' | 'unit' | 'better'>,
  figure: (bulk: () => Promise<number>, way: Way) => Promise<number>,
): Case {
  return defineCase<StallSide>({
    ...label,
    warmUps: RATE_WARM_UPS,
    ours: withStalled(hawser),
    peers: [withoutStalled, withStalled(ssh)],
    async open(scope) {
      const target = await startRole<TargetOperations>(scope, 'target')
      const load = await startRole<LoadOperations>(scope, 'load')
      const port = await target.call('listen', 'source')
      return async ({ peer, stalls }): Promise<Measurement> => {
        const way = await startPeer(scope, peer, port)
        const bulk = (): Promise<number> => load.call('bulk', { ...SPAN, port: way.port, streams: FLOWS })
        return () => beside(load, way, stalls, () => figure(bulk, way))
      }
    },
  })
}

export const slowReader: readonly Case[] = [
  stallCase(
    {
      name: 'slow-reader',
      summary: `bytes over ${FLOWS} connections while the reader of one more has stopped`,
      unit: 'MB/s',
      better: 'more',
    },
    (bulk) => bulk(),
  ),
  stallCase(
    {
      name: 'slow-reader-memory',
      summary: `resident memory of both ends right after ${FLOWS} connections at full speed, one more being stopped`,
      unit: 'MiB',
      better: 'less',
    },
    async (bulk, way) => {
      await bulk()
      return (await residentKiB(way.processes)) / 1024
    },
  ),
]
