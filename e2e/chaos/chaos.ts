import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { breakThings } from './break-things.ts'
import type { PlanLimits } from './flow/plan.ts'
import { Inspection } from './inspection.ts'
import { isByKernel } from './kills.ts'
import type { Kill } from './kills.ts'
import { PREFIX, removeLeftovers } from './leftovers.ts'
import { LoadRun } from './load-run.ts'
import { machineMs } from './machine-clock.ts'
import { Reach } from './reach.ts'
import { recoveriesOf } from './recovery.ts'
import { sumOf } from './load/tally.ts'
import type { LoadTotals } from './load/tally.ts'
import { reportOf } from './report.ts'
import type { ChaosReport } from './report.ts'
import type { Fault } from './schedule.ts'
import { Stack } from './stack.ts'

export interface ChaosOptions {
  readonly seed: number
  readonly schedule: readonly Fault[]
  /** How long the flows run; the schedule lies within. */
  readonly durationMs: number
  readonly replicas: number
  readonly clientFlows: number
  readonly workerFlows: number
  /** Of the clients' flows; as large and long as they are by themselves unless given. */
  readonly limits?: PlanLimits | undefined
  /** How long what is left over may take to go, and memory to come back. */
  readonly settleMs: number
  /** Flows run for so long with nothing broken first. */
  readonly warmUpMs: number
  /** Broken next; what memory then is, is what it is compared with in the end. */
  readonly rehearsal: readonly Fault[]
  /** Where the processes' logs go; kept. */
  readonly logs: string
  /** For people. */
  readonly say: (line: string) => void
  /** Ends it early, everything taken away. */
  readonly signal: AbortSignal
}

/** How long the last flows may take to end once no new ones begin: longer than any pauses that are planned, and then silence. */
const LAST_FLOWS_MS = 90_000

/** Flows go on for so long after the rehearsal: what everybody does who comes back is part of it. */
const AFTER_MS = 6_000

/** Runs everything, breaks what the schedule says, and judges. */
export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, schedule, replicas, say, signal, logs } = options
  await removeLeftovers()
  await using owned = new AsyncDisposableStack()
  owned.defer(removeLeftovers)
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
  owned.defer(() => rm(folder, { recursive: true, force: true }))
  await mkdir(logs, { recursive: true })
  const problems: string[] = []
  const onProblem = (problem: string): void => {
    problems.push(problem)
    say(`PROBLEM ${problem}`)
  }
  say(`seed ${seed}: ${schedule.length} faults in ${Math.round(options.durationMs / 1_000)} s; logs in ${logs}`)
  const prefix = `${PREFIX}${process.pid}`
  const stack = owned.use(await Stack.open({ ...options, limits: options.limits ?? {}, prefix, folder, onProblem }))
  const reach = reachOf(stack, replicas)
  const kills: Kill[] = []
  const load = new LoadRun(stack.load, say)
  const inspection = new Inspection(stack)

  say(`warming up for ${options.warmUpMs / 1_000} s`)
  const warm = await load.run(() => pause(options.warmUpMs, undefined, { signal }), LAST_FLOWS_MS)
  for (const [code, count] of Object.entries(warm.failures)) {
    onProblem(`${count} flows failed with ${code} before anything was broken`)
  }
  const around = { stack, reach, kills, onProblem, say }
  const breakFor = async (faults: readonly Fault[], durationMs: number): Promise<LoadTotals> => {
    load.probe(true)
    const ended = await load.run(async () => {
      const endMs = machineMs() + durationMs
      await breakThings(faults, around, load, signal)
      await pause(Math.max(0, endMs - machineMs()), undefined, { signal })
    }, LAST_FLOWS_MS)
    load.probe(false)
    return ended
  }
  say('rehearsing')
  const { rehearsal } = options
  const rehearsed = await breakFor(
    rehearsal,
    Math.max(0, ...rehearsal.map(({ atMs, forMs }) => atMs + forMs + AFTER_MS)),
  )
  await inspection.start(options.settleMs)
  const totals = sumOf(rehearsed, await breakFor(schedule, options.durationMs))
  if (totals.open > 0)
    onProblem(`${totals.open} flows had no outcome ${LAST_FLOWS_MS / 1_000} s after the last one began`)
  const recoveries = recoveriesOf(reach.changes, load.probes, machineMs())
  const { memory, leaks } = await inspection.end(options.settleMs)
  const target = await inspection.target()
  await stopEverything(stack, inspection, onProblem, leaks)
  return reportOf({
    seed,
    seconds: Math.round(options.durationMs / 1_000),
    schedule,
    load: totals,
    corrupted: [...totals.corrupted, ...target.corrupted]
      .filter((finding) => !isByKernel(finding, kills))
      .map(({ problem }) => problem),
    recoveries,
    memory,
    leaks,
    problems,
  })
}

function reachOf(stack: Stack, replicas: number): Reach {
  const reach = new Reach(replicas)
  reach.edge({ up: true }, 'the start')
  for (const index of stack.connectors.keys()) reach.replica(index, { up: true }, 'the start')
  reach.changes.length = 0
  return reach
}

/** Nothing runs any more, so a stop is quick and finds nothing to wait for. */
const STOP_MS = 15_000

async function stopEverything(
  stack: Stack,
  inspection: Inspection,
  onProblem: (problem: string) => void,
  leaks: string[],
): Promise<void> {
  for (const service of [...stack.connectors, stack.edge]) {
    service.child.onLine((line) => {
      const streams = Number(/"activeStreams":(\d+)/.exec(line)?.[1] ?? 0)
      if (streams > 0) leaks.push(`${service.name}: ${streams} streams when it was stopped`)
    })
    const code = await service.terminate(STOP_MS)
    if (code === undefined) {
      const open = await inspection.openOf(service)
      onProblem(`${service.name} did not end within ${STOP_MS / 1_000} s of SIGTERM; it still has ${open}`)
    }
    if (code !== undefined && code !== 0) onProblem(`${service.name} ended with ${code} after SIGTERM`)
  }
}
