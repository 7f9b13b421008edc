import { between, oneOf, seeded, shuffled, subSeed } from './random.ts'
import type { Random } from './random.ts'

/** What can go wrong; each has its part in `faults/`. */
export const FAULT_KINDS = [
  'killConnector',
  'killEdge',
  'stopConnector',
  'stopEdge',
  'linkDown',
  'slowLink',
  'narrowLink',
  'halfOpen',
  'clockJump',
  'fullDisk',
] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

/** One thing that goes wrong, and is put right `forMs` later. */
export interface Fault {
  readonly kind: FaultKind
  /** Milliseconds after the schedule begins. */
  readonly atMs: number
  readonly forMs: number
  /** The connectors that it befalls, counted from 0; none where it befalls the edge. */
  readonly connectors: readonly number[]
  /** Of `clockJump`: how far the clock goes, in seconds. */
  readonly jumpS?: number | undefined
}

interface KindRules {
  /** Shortest and longest, in milliseconds. */
  readonly forMs: readonly [number, number]
  readonly befalls: 'edge' | 'connector' | 'either'
  /** All connectors at once, now and then, so that nothing is reachable for a while. */
  readonly mayBefallAll?: true
}

const RULES: Readonly<Record<FaultKind, KindRules>> = {
  killConnector: { forMs: [200, 5_000], befalls: 'connector', mayBefallAll: true },
  killEdge: { forMs: [200, 4_000], befalls: 'edge' },
  // Longer and shorter than it takes to be held for dead.
  stopConnector: { forMs: [500, 14_000], befalls: 'connector' },
  stopEdge: { forMs: [500, 14_000], befalls: 'edge' },
  linkDown: { forMs: [500, 14_000], befalls: 'connector', mayBefallAll: true },
  slowLink: { forMs: [5_000, 15_000], befalls: 'connector', mayBefallAll: true },
  narrowLink: { forMs: [5_000, 12_000], befalls: 'connector' },
  halfOpen: { forMs: [1_000, 10_000], befalls: 'connector' },
  clockJump: { forMs: [3_000, 8_000], befalls: 'either' },
  fullDisk: { forMs: [3_000, 8_000], befalls: 'edge' },
}

/** Between the end of one fault and the next, so that it can be told what recovered from what. */
const GAP_MS = [2_500, 6_000] as const
const ALL_CHANCE = 0.25
/** A second fault while one lasts. */
const OVERLAP_CHANCE = 0.2
const JUMPS_S = [-86_400, -3_600, -60, 60, 3_600, 86_400, 40 * 86_400] as const
/** The process that lives at the end is to have lived long, or its memory says nothing. */
const LAST_KILL_OF_EDGE = 0.6

function faultOf(random: Random, kind: FaultKind, atMs: number, replicas: number): Fault {
  const { forMs, befalls, mayBefallAll } = RULES[kind]
  const all = mayBefallAll === true && random() < ALL_CHANCE
  const one = between(random, 0, replicas - 1)
  const edge = befalls === 'edge' || (befalls === 'either' && random() < 0.5)
  const everyone = Array.from({ length: replicas }, (_, index) => index)
  const connectors = edge ? [] : all ? everyone : [one]
  const fault = { kind, atMs, forMs: between(random, ...forMs), connectors }
  return kind === 'clockJump' ? { ...fault, jumpS: oneOf(random, JUMPS_S) } : fault
}

/** True where the two cannot be told apart or put right apart: the same victim, or everything at once. */
function clash(one: Fault, other: Fault): boolean {
  if (one.connectors.length === 0 && other.connectors.length === 0) return true
  if (one.connectors.length > 1 || other.connectors.length > 1) return true
  return one.connectors.some((connector) => other.connectors.includes(connector))
}

/**
 * What goes wrong within `durationMs`, and when: the same for the same seed, duration and number of replicas. Every kind comes
 * once before any comes again.
 */
export function scheduleOf(seed: number, durationMs: number, replicas: number): readonly Fault[] {
  const random = seeded(subSeed(seed, 0x5c4ed))
  const faults: Fault[] = []
  let bag: FaultKind[] = []
  const draw = (atMs: number): FaultKind => {
    const allowed = (kind: FaultKind): boolean => kind !== 'killEdge' || atMs <= durationMs * LAST_KILL_OF_EDGE
    if (!bag.some(allowed)) bag = shuffled(random, FAULT_KINDS)
    return bag.splice(bag.findIndex(allowed), 1)[0] as FaultKind
  }
  for (let atMs = between(random, ...GAP_MS); ;) {
    const fault = faultOf(random, draw(atMs), atMs, replicas)
    if (fault.atMs + fault.forMs > durationMs) return faults
    faults.push(fault)
    let endMs = fault.atMs + fault.forMs
    if (random() < OVERLAP_CHANCE) {
      const later = atMs + Math.round(fault.forMs / 2)
      const second = faultOf(random, draw(later), later, replicas)
      const fits = !clash(fault, second) && second.atMs + second.forMs <= durationMs
      if (fits) faults.push(second)
      else bag.push(second.kind)
      if (fits) endMs = Math.max(endMs, second.atMs + second.forMs)
    }
    atMs = endMs + between(random, ...GAP_MS)
  }
}

/** For people: `12.3 s  linkDown of connectors 0, 1, 2 for 4.0 s`. */
export function describeFault({ kind, atMs, forMs, connectors, jumpS }: Fault): string {
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
  const whom = connectors.length === 0 ? 'the edge' : `connector ${connectors.join(', ')}`
  const far = jumpS === undefined ? '' : ` by ${jumpS} s`
  return `${seconds(atMs).padStart(8)}  ${kind} of ${whom}${far} for ${seconds(forMs)}`
}

/**
 * Each kind of fault once, at its worst where that has most bytes wait (a slow link) or most connections come back at once (an edge
 * that stood still): what the processes need to live through it all they then have had. Processes are killed first, so that
 * those that go on have seen the rest.
 */
export function rehearsalOf(replicas: number): readonly Fault[] {
  const all = Array.from({ length: replicas }, (_, index) => index)
  return [
    { kind: 'killEdge', atMs: 1_000, forMs: 1_500, connectors: [] },
    { kind: 'killConnector', atMs: 9_000, forMs: 2_000, connectors: all },
    { kind: 'slowLink', atMs: 16_000, forMs: 13_000, connectors: all },
    { kind: 'clockJump', atMs: 18_000, forMs: 3_000, connectors: [], jumpS: 3_600 },
    { kind: 'fullDisk', atMs: 22_000, forMs: 3_000, connectors: [] },
    { kind: 'linkDown', atMs: 34_000, forMs: 3_000, connectors: all },
    { kind: 'halfOpen', atMs: 41_000, forMs: 1_000, connectors: [0] },
    { kind: 'narrowLink', atMs: 43_000, forMs: 5_000, connectors: [2] },
    { kind: 'stopConnector', atMs: 52_000, forMs: 6_000, connectors: [1] }, // by then the half-open ones have been noticed
    { kind: 'stopEdge', atMs: 61_000, forMs: 14_000, connectors: [] },
  ]
}
