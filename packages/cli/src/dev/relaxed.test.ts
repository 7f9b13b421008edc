import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RELAXABLE_RULES } from '@hawser/edge/local'
import { readRelaxed, RELAXED_RULES } from './relaxed.ts'

test('every rule that an edge can relax has a name here, and the six connections too', () => {
  assert.deepEqual(Object.keys(RELAXED_RULES), ['connections', ...RELAXABLE_RULES])
})

test('names may come one by one or with commas between', () => {
  assert.deepEqual([...readRelaxed([])], [])
  assert.deepEqual([...readRelaxed(['loops'])], ['loops'])
  assert.deepEqual([...readRelaxed(['loops, connections', 'loops'])], ['loops', 'connections'])
})

for (const value of ['', 'all', 'loops,', 'Loops', 'constructor']) {
  test(`any other name is refused with those there are: ${JSON.stringify(value)}`, () => {
    assert.throws(
      () => readRelaxed([value]),
      /--relaxed: expected connections, blocked-addresses, blocked-ports, loops, got "/,
    )
  })
}
