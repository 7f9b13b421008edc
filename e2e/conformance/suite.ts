import type { Host, HostName } from './hosts/host.ts'
import type { Harness } from './peers/harness.ts'
import type { Behaviour } from './support/behaviour.ts'
import type { Outcome } from './worker/handler.ts'

/** How one behaviour went on one host. */
export interface Result {
  readonly id: string
  readonly host: HostName
  /** What is wrong, in one line; absent where it passed. */
  readonly failure?: string
}

/** Behaviours at a time on one host: most of their time they wait. */
const PARALLEL = 4

async function runOnce(harness: Harness, host: Host, behaviour: Behaviour, viaBinding: boolean): Promise<Outcome> {
  const { id } = behaviour
  return harness.withPeer(
    behaviour.peer,
    (act) => host.carryOut({ ...act, viaBinding }),
    (place) => host.carryOut({ id, place, viaBinding }),
  )
}

/** Runs a behaviour over the global `connect()` and, where it and the host are for it, over that of a binding. */
async function runBehaviour(harness: Harness, host: Host, behaviour: Behaviour): Promise<Result> {
  const result = { id: behaviour.id, host: host.name }
  const { failure } = await runOnce(harness, host, behaviour, false)
  if (failure !== undefined) return { ...result, failure }
  if (behaviour.binding !== true || !host.hasBinding) return result
  const { failure: overBinding } = await runOnce(harness, host, behaviour, true)
  return overBinding === undefined ? result : { ...result, failure: `over a binding: ${overBinding}` }
}

async function runQueue(
  harness: Harness,
  host: Host,
  behaviours: readonly Behaviour[],
  parallel: number,
  results: Map<string, Result>,
): Promise<void> {
  const queue = [...behaviours]
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      results.set(next.id, await runBehaviour(harness, host, next))
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
}

/** Runs the behaviours on one host; the results are in their order. */
export async function runSuite(harness: Harness, host: Host, behaviours: readonly Behaviour[]): Promise<Result[]> {
  const results = new Map<string, Result>()
  const together = behaviours.filter(({ alone }) => alone !== true)
  const alone = behaviours.filter((behaviour) => behaviour.alone === true)
  await runQueue(harness, host, together, PARALLEL, results)
  await runQueue(harness, host, alone, 1, results)
  return behaviours.flatMap(({ id }) => results.get(id) ?? [])
}
