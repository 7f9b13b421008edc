import type { Kill } from './kills.ts'
import { WORKER } from './load/callers.ts'
import { machineMs } from './machine-clock.ts'
import type { Reach } from './reach.ts'
import type { Fault } from './schedule.ts'
import { EDGE_READY, EDGE_STARTED } from './stack.ts'
import type { Stack } from './stack.ts'

/** What a fault may touch. */
export interface Surroundings {
  readonly stack: Stack
  readonly reach: Reach
  /** What was killed so far. */
  readonly kills: Kill[]
  /** Told of what should not have happened. */
  readonly onProblem: (problem: string) => void
  /** For people. */
  readonly say: (line: string) => void
}

/** Puts right what a fault has done; resolves when that is so. */
type Heal = () => Promise<void>

const SLOW = { delayMs: 300, loss: 0.03, reorder: 0.25 } as const
const UNIMPAIRED = { delayMs: 0, loss: 0, reorder: 0 } as const

/** Breaks something. */
export async function apply(fault: Fault, around: Surroundings): Promise<Heal> {
  switch (fault.kind) {
    case 'killConnector':
      return killConnectors(fault, around)
    case 'killEdge':
      return killEdge(around)
    case 'stopConnector':
      return stopConnectors(fault, around)
    case 'stopEdge':
      return stopEdge(around)
    case 'linkDown':
      return cutLinks(fault, around)
    case 'slowLink':
      return slowLinks(fault, around)
    case 'narrowLink':
      return narrowLinks(fault, around)
    case 'halfOpen':
      return moveConnectors(fault, around)
    case 'clockJump':
      return jumpClocks(fault, around)
    case 'fullDisk':
      return fillDisk(around)
    default:
      return fault.kind satisfies never
  }
}

async function killConnectors({ connectors }: Fault, { stack, reach, kills }: Surroundings): Promise<Heal> {
  for (const index of connectors) {
    reach.replica(index, { up: false }, `connector ${index} was killed`)
    kills.push({ from: stack.topology.privateAddress(index), atMs: machineMs() })
  }
  await Promise.all(connectors.map(async (index) => stack.connectors[index]?.kill()))
  return async () => {
    for (const index of connectors) {
      stack.connectors[index]?.start()
      reach.replica(index, { up: true }, `connector ${index} was started again`)
    }
  }
}

async function killEdge({ stack, reach, kills }: Surroundings): Promise<Heal> {
  reach.edge({ up: false }, 'the edge was killed')
  kills.push({ from: WORKER, atMs: machineMs() })
  await stack.edge.kill()
  return async () => {
    const edge = stack.edge.start()
    const working = edge.line(EDGE_READY) // with its Worker
    await edge.line(EDGE_STARTED)
    reach.edge({ up: true }, 'the edge was started again')
    await working
  }
}

async function stopConnectors({ connectors }: Fault, { stack, reach }: Surroundings): Promise<Heal> {
  for (const index of connectors) {
    stack.connectors[index]?.child.signal('SIGSTOP')
    reach.replica(index, { awake: false }, `connector ${index} was stopped`)
  }
  return async () => {
    for (const index of connectors) {
      stack.connectors[index]?.child.signal('SIGCONT')
      reach.replica(index, { awake: true }, `connector ${index} went on`)
    }
  }
}

async function stopEdge({ stack, reach }: Surroundings): Promise<Heal> {
  stack.edge.child.signal('SIGSTOP')
  reach.edge({ awake: false }, 'the edge was stopped')
  return async () => {
    stack.edge.child.signal('SIGCONT')
    reach.edge({ awake: true }, 'the edge went on')
  }
}

async function cutLinks({ connectors }: Fault, { stack, reach }: Surroundings): Promise<Heal> {
  for (const index of connectors) {
    await stack.topology.setLink(index, 'down')
    reach.replica(index, { linked: false }, `the link of connector ${index} went down`)
  }
  return async () => {
    for (const index of connectors) {
      await stack.topology.setLink(index, 'up')
      reach.replica(index, { linked: true }, `the link of connector ${index} came up`)
    }
  }
}

async function slowLinks({ connectors }: Fault, { stack, reach }: Surroundings): Promise<Heal> {
  stack.wire.send(SLOW)
  for (const index of connectors) {
    await stack.topology.setWay(index, 'wire')
    reach.replica(index, { linked: false }, `the link of connector ${index} became slow and lossy`)
  }
  return async () => {
    stack.wire.send(UNIMPAIRED)
    for (const index of connectors) {
      await stack.topology.setWay(index, 'plain')
      reach.replica(index, { linked: true }, `the link of connector ${index} was good again`)
    }
  }
}

async function narrowLinks({ connectors }: Fault, { stack, reach }: Surroundings): Promise<Heal> {
  for (const index of connectors) {
    await stack.topology.setNarrow(index, true)
    reach.replica(index, { linked: false }, `the link of connector ${index} became narrow`)
  }
  return async () => {
    for (const index of connectors) {
      await stack.topology.setNarrow(index, false)
      reach.replica(index, { linked: true }, `the link of connector ${index} was wide again`)
    }
  }
}

/** What was half-open stays so: there is nothing to put right. */
async function moveConnectors({ connectors }: Fault, { stack, reach }: Surroundings): Promise<Heal> {
  for (const index of connectors) {
    await stack.topology.move(index)
    reach.replica(index, {}, `the connections of connector ${index} were left half-open`)
  }
  return async () => {}
}

async function jumpClocks({ connectors, jumpS = 0 }: Fault, { stack, reach, say }: Surroundings): Promise<Heal> {
  const clocks = connectors.length === 0 ? [stack.clocks[0]] : connectors.map((index) => stack.clocks[index + 1])
  const known = clocks.filter((clock) => clock !== undefined)
  if (known.length < clocks.length) say('no clock jumps: libfaketime is not installed')
  await Promise.all(known.map((clock) => clock.jump(jumpS)))
  reach.edge({}, 'a clock jumped')
  return async () => {
    await Promise.all(known.map((clock) => clock.jump(0)))
    reach.edge({}, 'a clock jumped back')
  }
}

/** Carrying flows must go on; keeping something must fail with a code while there is no room, and succeed afterwards. */
async function fillDisk({ stack, reach, onProblem, say }: Surroundings): Promise<Heal> {
  const name = `full-${Math.round(machineMs())}`
  await stack.disk.fill()
  reach.edge({}, 'the disk was full')
  const failure = await stack.write(name)
  if (failure !== undefined && !failure.includes('(storage_failed)'))
    onProblem(`a write on a full disk failed with another code than storage_failed: ${failure}`)
  say(`a write on the full disk: ${failure ?? 'succeeded all the same'}`)
  return async () => {
    await stack.disk.free()
    reach.edge({}, 'the disk had room again')
    const after = await stack.write(`${name}-again`)
    if (after !== undefined) onProblem(`a write failed though the disk had room again: ${after}`)
  }
}
