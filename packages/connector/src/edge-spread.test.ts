import assert from 'node:assert/strict'
import test from 'node:test'
import { HawserError } from '@hawser/core'
import fc from 'fast-check'
import { EdgeSpread } from './edge-spread.ts'
import type { KnownEdge } from './edge-spread.ts'

const spreadOf = (...hosts: string[]): EdgeSpread => new EdgeSpread(hosts.map((host) => ({ host, port: 1 })))
const gone = new HawserError('edge_unreachable', 'gone')

test('homes are dealt out in turn', () => {
  const spread = spreadOf('a', 'b', 'c')
  assert.deepEqual(
    [0, 1, 2, 3].map((link) => spread.home(link).text),
    ['a:1', 'b:1', 'c:1', 'a:1'],
  )
})

test('the only edge is also the other one', () => {
  const spread = spreadOf('a')
  assert.equal(spread.other(spread.home(0)), spread.home(0))
})

test('of the others the one with the fewest links is next, in order where they are equal', () => {
  const spread = spreadOf('a', 'b', 'c', 'd')
  const [a, b, c] = spread.edges as [KnownEdge, KnownEdge, KnownEdge]
  assert.equal(spread.other(a), b)
  b.links = 2
  assert.equal(spread.other(a), c)
  assert.equal(spread.other(c), spread.edges[3])
})

test('one that has failed is last, however few links it has', () => {
  const spread = spreadOf('a', 'b', 'c')
  const [a, b, c] = spread.edges as [KnownEdge, KnownEdge, KnownEdge]
  b.failure = gone
  c.links = 16
  assert.equal(spread.other(a), c)
  c.failure = gone
  assert.equal(spread.other(a), b)
})

test('links that leave one edge after another are never two apart', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 1, max: 16 }), (edges, links) => {
      const spread = spreadOf(...Array.from({ length: edges }, (_, at) => `e${at}`))
      const first = spread.home(0)
      first.links = links
      first.failure = gone
      for (let link = 0; link < links; link += 1) {
        spread.other(first).links += 1
        first.links -= 1
      }
      const counts = spread.edges.slice(1).map((edge) => edge.links)
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1)
    }),
  )
})
