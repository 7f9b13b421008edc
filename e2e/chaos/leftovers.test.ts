import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownerOf } from './leftovers.ts'

test('names of the harness’s own tell whose they are; no other name is touched', () => {
  assert.equal(ownerOf('hawser-chaos-123-edge'), 123)
  assert.equal(ownerOf('hawser-chaos-123-Ab3xYz'), 123)
  assert.equal(ownerOf('hawser-chaos-123'), 123)
  for (const name of ['hawser-123', 'hawser-chaos-logs-7', 'hawser-chaos-', 'hawser-chaos-12x', 'my-hawser-chaos-1']) {
    assert.equal(ownerOf(name), undefined, name)
  }
})
