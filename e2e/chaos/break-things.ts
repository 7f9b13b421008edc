import { setTimeout as pause } from 'node:timers/promises'
import { apply } from './faults.ts'
import type { Surroundings } from './faults.ts'
import type { LoadRun } from './load-run.ts'
import { machineMs } from './machine-clock.ts'
import { describeFault } from './schedule.ts'
import type { Fault } from './schedule.ts'

/** Applies each fault in its time, and puts it right in its own. Rejects when aborted. */
export async function breakThings(
  schedule: readonly Fault[],
  around: Surroundings,
  load: LoadRun,
  signal: AbortSignal,
): Promise<void> {
  const startMs = machineMs()
  let broken = 0
  const change = (by: 1 | -1): void => {
    broken += by
    load.broken(broken > 0)
  }
  const carryOut = async (fault: Fault): Promise<void> => {
    around.say(describeFault(fault))
    change(1)
    try {
      const heal = await apply(fault, around)
      await pause(fault.forMs, undefined, { signal })
      await heal()
    } catch (error) {
      signal.throwIfAborted()
      around.onProblem(`${fault.kind} could not be carried out: ${String(error)}`)
    }
    change(-1)
  }
  /** By whom they befall. To put things right may take longer than was planned, and the same victim must be whole before the next. */
  const whole = new Map<number | 'edge', Promise<void>>()
  const begin = async (fault: Fault): Promise<void> => {
    await pause(Math.max(0, startMs + fault.atMs - machineMs()), undefined, { signal })
    const victims = fault.connectors.length === 0 ? (['edge'] as const) : fault.connectors
    const before = Promise.allSettled(victims.map(async (victim) => whole.get(victim)))
    const done = before.then(() => carryOut(fault))
    for (const victim of victims) whole.set(victim, done)
    await done
  }
  await Promise.all(schedule.map(begin))
}
