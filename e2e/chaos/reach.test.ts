import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Reach } from './reach.ts'

test('a replica is reachable when edge and connector run and the way between them is whole', () => {
  const reach = new Reach(2)
  assert.equal(reach.reachable, false)
  reach.edge({ up: true }, 'edge')
  assert.equal(reach.reachable, false)
  reach.replica(0, { up: true }, 'connector')
  assert.equal(reach.reachable, true)
  for (const change of [{ up: false }, { awake: false }, { linked: false }]) {
    reach.replica(0, change, 'broken')
    assert.equal(reach.reachable, false)
    reach.replica(0, { up: true, awake: true, linked: true }, 'mended')
    assert.equal(reach.reachable, true)
  }
  reach.replica(1, { up: true }, 'another')
  reach.replica(0, { up: false }, 'one of two')
  assert.equal(reach.reachable, true)
  reach.edge({ awake: false }, 'the edge sleeps')
  assert.equal(reach.reachable, false)
})

test('every change is noted with its time and what it means', () => {
  const reach = new Reach(1)
  reach.edge({ up: true }, 'one')
  reach.replica(0, { up: true }, 'two')
  assert.deepEqual(
    reach.changes.map(({ reachable, why }) => [reachable, why]),
    [
      [false, 'one'],
      [true, 'two'],
    ],
  )
  assert.ok((reach.changes[1]?.atMs ?? 0) >= (reach.changes[0]?.atMs ?? 0))
})
