import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Dialer } from '@hawser/core'
import fc from 'fast-check'
import { Choice } from './choice.ts'
import { FakeConnection } from './fake-connection.ts'

const target = { host: 'db.internal', port: 5432, healthy: false }

function chosen(choice: Choice, connections: FakeConnection[], except?: FakeConnection[]): string | undefined {
  const tried = except === undefined ? undefined : new Set<Dialer>(except)
  return choice.of(connections, target, tried)?.id
}

test('choice: weight decides before flows, flows before the round trip', () => {
  const one = new FakeConnection('one', { connectorId: 'a', weight: 100, activeStreams: 9, roundTripMs: 90 })
  const other = new FakeConnection('other', { connectorId: 'b', weight: 99, activeStreams: 0, roundTripMs: 1 })
  const choice = new Choice()
  assert.equal(chosen(choice, [other, one]), 'one')
  other.weight = 100
  assert.equal(chosen(choice, [one, other]), 'other')
  other.activeStreams = 9
  one.roundTripMs = 0.5
  assert.equal(chosen(choice, [one, other]), 'one')
  one.roundTripMs = Infinity // not known yet
  assert.equal(chosen(choice, [one, other]), 'other')
  other.roundTripMs = Infinity
  assert.equal(chosen(choice, [one, other]), 'one', 'of equals the first')
})

test('choice: the order can be told, and what is left out follows', () => {
  const light = new FakeConnection('light', { connectorId: 'a', weight: 1, activeStreams: 3, roundTripMs: 1 })
  const quiet = new FakeConnection('quiet', { connectorId: 'b', weight: 2, activeStreams: 0, roundTripMs: 5 })
  const heavy = new FakeConnection('heavy', { connectorId: 'c', weight: 3, activeStreams: 5, roundTripMs: 9 })
  const connections = [light, quiet, heavy]
  assert.equal(chosen(new Choice(['rtt']), connections), 'light')
  assert.equal(chosen(new Choice(['flows', 'rtt']), connections), 'quiet')
  assert.equal(chosen(new Choice([]), connections), 'heavy')
  assert.throws(() => new Choice(['load']), { code: 'options_invalid', message: /weight, flows, rtt .*"load"/ })
  assert.throws(() => new Choice(['rtt', 'rtt']), { code: 'options_invalid' })
  assert.throws(() => new Choice(['toString']), { code: 'options_invalid' })
})

test('choice: one that takes nothing new is no choice, one that is silent the last', () => {
  const leaving = new FakeConnection('leaving', { connectorId: 'a', accepting: false })
  const silent = new FakeConnection('silent', { connectorId: 'b', silent: true, weight: 100 })
  const standby = new FakeConnection('standby', { connectorId: 'c', weight: 0 })
  const choice = new Choice()
  assert.equal(chosen(choice, [leaving, silent, standby]), 'standby')
  assert.equal(chosen(choice, [leaving, silent]), 'silent')
  assert.equal(chosen(choice, [leaving]), undefined)
})

test('choice: a replica that lost this target is passed over, for this target alone, unless all have', () => {
  const lost = new FakeConnection('lost', { connectorId: 'a', failing: [target] })
  const busy = new FakeConnection('busy', { connectorId: 'b', weight: 0, activeStreams: 50 })
  const choice = new Choice()
  assert.equal(chosen(choice, [lost, busy]), 'busy')
  assert.equal(choice.of([lost, busy], { host: 'db.internal', port: 80 }, undefined)?.id, 'lost')
  assert.equal(choice.of([lost, busy], undefined, undefined)?.id, 'lost')
  busy.failing = [{ ...target, host: 'other.internal' }, target]
  assert.equal(chosen(choice, [lost, busy]), 'lost')
})

test('choice: after a failure another connector is next, and then other connections of the same', () => {
  const first = new FakeConnection('first', { connectorId: 'a' })
  const sibling = new FakeConnection('sibling', { connectorId: 'a' })
  const other = new FakeConnection('other', { connectorId: 'b', weight: 1, activeStreams: 7 })
  const choice = new Choice()
  const all = [first, sibling, other]
  assert.equal(chosen(choice, all, [first]), 'other')
  assert.equal(chosen(choice, all, [first, other]), 'sibling')
  assert.equal(chosen(choice, all, all), undefined)
  other.silent = true
  assert.equal(chosen(choice, all, [first]), 'sibling')
})

test('choice: the flows of a connector are those of all its connections', () => {
  const busy = [
    new FakeConnection('a0', { connectorId: 'a', activeStreams: 9 }),
    new FakeConnection('a1', { connectorId: 'a', activeStreams: 0 }),
  ]
  const other = new FakeConnection('b0', { connectorId: 'b', activeStreams: 8 })
  assert.equal(chosen(new Choice(), [...busy, other]), 'b0')
  other.activeStreams = 10
  assert.equal(chosen(new Choice(), [...busy, other]), 'a0')
})

test('choice: flows of one connector keep together on one connection, up to 32, and then spread', () => {
  const connections = ['a', 'b', 'c'].map((id, at) => new FakeConnection(id, { roundTripMs: 3 - at }))
  const choice = new Choice()
  for (let flow = 0; flow < 120; flow += 1) {
    const connection = choice.of(connections, undefined, undefined) as FakeConnection
    connection.activeStreams += 1
    const counts = connections.map(({ activeStreams }) => activeStreams)
    if (flow === 31) assert.deepEqual(counts, [0, 0, 32], 'the shortest round trip first')
    if (flow === 95) assert.deepEqual(counts, [32, 32, 32])
  }
  const counts = connections.map(({ activeStreams }) => activeStreams)
  assert.deepEqual(counts, [40, 40, 40])
})

test('choice: no connector is better than that of the connection that is chosen', () => {
  const connection = fc.record({
    activeStreams: fc.integer({ min: 0, max: 40 }),
    accepting: fc.boolean(),
    silent: fc.boolean(),
    failing: fc.constantFrom([], [target]),
  })
  const connector = fc.record({
    weight: fc.integer({ min: 0, max: 2 }),
    roundTripMs: fc.constantFrom(1, 2, Infinity),
    connections: fc.array(connection, { minLength: 1, maxLength: 5 }),
  })
  fc.assert(
    fc.property(fc.array(connector, { maxLength: 6 }), (list) => {
      const groups = list.map(({ connections, ...common }, at) =>
        connections.map((own, n) => new FakeConnection(`${at}.${n}`, { connectorId: `k${at}`, ...common, ...own })),
      )
      const best = new Choice().of(groups.flat(), target, undefined)
      const open = groups.map((group) => group.filter(({ accepting }) => accepting)).filter(({ length }) => length > 0)
      if (best === undefined) return assert.equal(open.length, 0)
      const ofBest = open.find((group) => group.includes(best as FakeConnection)) ?? []
      for (const group of open) assert.ok(compare(key(ofBest), key(group)) <= 0)
      return undefined
    }),
  )
})

/** What decides on a connector, first things first; less is better. */
function key(group: readonly FakeConnection[]): readonly number[] {
  const faults = group.map(({ silent, failing }) => (silent ? 4 : 0) + failing.length)
  const flows = group.reduce((sum, { activeStreams }) => sum + activeStreams, 0)
  return [Math.min(...faults), -(group[0]?.weight ?? 0), flows, group[0]?.roundTripMs ?? 0]
}

function compare(one: readonly number[], other: readonly number[]): number {
  for (const [at, value] of one.entries()) {
    const its = other[at] ?? 0
    if (value !== its) return value < its ? -1 : 1
  }
  return 0
}
