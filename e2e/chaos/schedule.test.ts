import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { describeFault, FAULT_KINDS, rehearsalOf, scheduleOf } from './schedule.ts'

const TEN_MINUTES = 600_000

test('the same seed gives the same schedule, another one another', () => {
  assert.deepEqual(scheduleOf(1, TEN_MINUTES, 3), scheduleOf(1, TEN_MINUTES, 3))
  assert.notDeepEqual(scheduleOf(1, TEN_MINUTES, 3), scheduleOf(2, TEN_MINUTES, 3))
})

test('ten minutes bring every kind, all connectors at once, and two faults at a time', () => {
  const faults = [1, 2, 3].flatMap((seed) => scheduleOf(seed, TEN_MINUTES, 3))
  assert.deepEqual(new Set(faults.map(({ kind }) => kind)), new Set(FAULT_KINDS))
  assert.ok(faults.some(({ connectors }) => connectors.length === 3))
  assert.ok(
    faults.some(
      (fault, index) =>
        (faults[index + 1]?.atMs ?? 0) > fault.atMs && (faults[index + 1]?.atMs ?? 0) < fault.atMs + fault.forMs,
    ),
  )
})

test('whatever the seed: within the time, in order, of connectors that there are, and with a quiet end for the edge', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 30_000, max: TEN_MINUTES }),
      fc.integer({ min: 1, max: 5 }),
      (seed, ms, replicas) => {
        let before = 0
        for (const { kind, atMs, forMs, connectors, jumpS } of scheduleOf(seed, ms, replicas)) {
          assert.ok(atMs >= before && atMs + forMs <= ms)
          assert.ok(connectors.every((index) => index >= 0 && index < replicas))
          assert.ok(kind !== 'killEdge' || atMs <= ms * 0.6)
          assert.equal(jumpS !== undefined, kind === 'clockJump')
          before = atMs
        }
      },
    ),
    { numRuns: 200 },
  )
})

test('no two faults befall the same at a time', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const faults = scheduleOf(seed, TEN_MINUTES, 3)
      for (const [index, one] of faults.entries()) {
        const other = faults[index + 1]
        if (other === undefined || other.atMs >= one.atMs + one.forMs) continue
        assert.ok(!one.connectors.some((connector) => other.connectors.includes(connector)))
        assert.ok(one.connectors.length > 0 || other.connectors.length > 0)
      }
    }),
    { numRuns: 200 },
  )
})

test('a fault can be read', () => {
  assert.equal(
    describeFault({ kind: 'linkDown', atMs: 12_345, forMs: 4_000, connectors: [0, 2] }),
    '  12.3 s  linkDown of connector 0, 2 for 4.0 s',
  )
  assert.equal(
    describeFault({ kind: 'clockJump', atMs: 0, forMs: 1_000, connectors: [], jumpS: -60 }),
    '   0.0 s  clockJump of the edge by -60 s for 1.0 s',
  )
})

test('the rehearsal has each kind once, no connector two at a time, and one stays whole unless one fault befalls all', () => {
  // What is half-open is noticed by both ends after up to ten seconds.
  const faults = rehearsalOf(3).map((fault) => (fault.kind === 'halfOpen' ? { ...fault, forMs: 10_000 } : fault))
  assert.deepEqual(faults.map(({ kind }) => kind).toSorted(), [...FAULT_KINDS].toSorted())
  for (const fault of faults) {
    const together = faults.filter(({ atMs, forMs }) => atMs < fault.atMs + fault.forMs && fault.atMs < atMs + forMs)
    const victims = together.flatMap(({ connectors }) => connectors)
    assert.equal(new Set(victims).size, victims.length, describeFault(fault))
    assert.ok(victims.length < 3 || together.some(({ connectors }) => connectors.length === 3), describeFault(fault))
  }
})
