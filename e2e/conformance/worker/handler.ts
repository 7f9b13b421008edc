import { behaviours } from '../behaviours/index.ts'
import type { Behaviour } from '../support/behaviour.ts'
import type { PeerPlace } from '../support/peer.ts'
import { Trial } from '../support/trial.ts'
import type { Surroundings } from '../support/trial.ts'

/** What the harness asks a host to do: run a behaviour, or one of its acts. */
export interface Order {
  readonly id: string
  readonly place: PeerPlace
  readonly act?: string
  readonly value?: unknown
  /** Over `connect()` of the VPC binding. */
  readonly viaBinding?: boolean
}

export interface Outcome {
  /** What went wrong, in one line; absent where all was as it should be. */
  readonly failure?: string
  /** What an act returned. */
  readonly value?: unknown
}

/** No behaviour waits for anything that takes a tenth of this. */
const LIMIT_MS = 12_000

const known: ReadonlyMap<string, Behaviour> = new Map(behaviours.map((behaviour) => [behaviour.id, behaviour]))

function describe(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${String(error)}`
  const prefix = error.name === 'AssertionFailed' ? '' : `${error.name}: `
  // Where it was thrown, for errors that do not say what they are about.
  const place = prefix === '' ? '' : ` (${/\n\s+at (.*)/.exec(error.stack ?? '')?.[1] ?? 'no stack'})`
  return `${prefix}${error.message}${place}`
}

async function perform(behaviour: Behaviour, order: Order, trial: Trial): Promise<unknown> {
  if (order.act === undefined) return behaviour.run(trial)
  const act = behaviour.acts?.[order.act]
  if (act === undefined) throw new Error(`${order.id} has no act ${order.act}`)
  return act(trial, order.value)
}

/** Runs what is ordered; resolves in bounded time and never rejects. */
export async function carryOut(order: Order, surroundings: Surroundings): Promise<Outcome> {
  const behaviour = known.get(order.id)
  if (behaviour === undefined) return { failure: `there is no behaviour ${order.id}` }
  const trial = new Trial(order.id, order.place, surroundings, order.viaBinding === true)
  let timer: ReturnType<typeof setTimeout> | undefined
  const limit = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve({ failure: `still waiting after ${LIMIT_MS} ms, at: ${trial.step}` }), LIMIT_MS)
  })
  const result = (async (): Promise<Outcome> => {
    try {
      return { value: await perform(behaviour, order, trial) }
    } catch (error) {
      return { failure: describe(error) }
    }
  })()
  try {
    return await Promise.race([result, limit])
  } finally {
    clearTimeout(timer)
  }
}
