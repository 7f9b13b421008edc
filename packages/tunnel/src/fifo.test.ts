import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Fifo } from './fifo.ts'

describe('Fifo', () => {
  test('does what an array does, whatever the order of calls', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('push' as const), value: fc.integer({ min: 0, max: 9 }) }),
      fc.record({ do: fc.constantFrom('shift' as const, 'clear' as const), value: fc.constant(0) }),
      fc.record({ do: fc.constantFrom('remove' as const, 'replace' as const), value: fc.integer({ min: 0, max: 9 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const fifo = new Fifo<number>()
        const model: number[] = []
        for (const { do: what, value } of steps) {
          if (what === 'push') {
            fifo.push(value)
            model.push(value)
          } else if (what === 'shift') assert.equal(fifo.shift(), model.shift())
          else if (what === 'remove') {
            fifo.remove(value)
            const at = model.indexOf(value)
            if (at >= 0) model.splice(at, 1)
          } else if (what === 'replace') {
            if (model.length === 0) continue
            fifo.replaceLast(value)
            model[model.length - 1] = value
          } else {
            fifo.clear()
            model.length = 0
          }
          assert.equal(fifo.length, model.length)
        }
        while (model.length > 0) assert.equal(fifo.shift(), model.shift())
        assert.equal(fifo.shift(), undefined)
      }),
    )
  })

  test('keeps its order while it is never empty, over many times its length', () => {
    const fifo = new Fifo<number>()
    let next = 0
    let expected = 0
    for (; next < 50; next += 1) fifo.push(next)
    for (let round = 0; round < 5_000; round += 1) {
      fifo.push(next)
      next += 1
      assert.equal(fifo.shift(), expected)
      expected += 1
    }
    assert.equal(fifo.length, 50)
  })
})
