import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { StreamTable } from './stream-table.ts'
import type { MuxStream } from './stream.ts'

function fakeStream(id: number): MuxStream {
  return { id } as MuxStream
}

describe('StreamTable', () => {
  test('finds what a map would find, whatever comes and goes', () => {
    const id = fc.integer({ min: 1, max: 400 }).map((value) => (value > 300 ? value * 64 : value))
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), id), { maxLength: 400 }), (steps) => {
        const table = new StreamTable()
        const model = new Map<number, MuxStream>()
        for (const [remove, key] of steps) {
          if (remove) assert.equal(table.delete(key), model.delete(key))
          else if (!model.has(key)) {
            const stream = fakeStream(key)
            model.set(key, stream)
            table.add(stream)
          }
          assert.equal(table.size, model.size)
          assert.equal(table.get(key), model.get(key))
        }
        for (const [key, stream] of model) assert.equal(table.get(key), stream)
        assert.deepEqual(new Set(table.all()), new Set(model.values()))
      }),
    )
  })

  test('ids that all fall on one place are still told apart', () => {
    const table = new StreamTable()
    const ids = Array.from({ length: 30 }, (_, index) => 1 + index * 65_536)
    for (const id of ids) table.add(fakeStream(id))
    for (const id of ids.filter((_, index) => index % 2 === 0)) assert.ok(table.delete(id))
    assert.deepEqual(
      ids.map((id) => table.get(id)?.id),
      ids.map((id, index) => (index % 2 === 0 ? undefined : id)),
    )
  })

  test('one old stream does not get in the way of a million later ones', () => {
    const table = new StreamTable()
    table.add(fakeStream(1))
    for (let id = 3; id < 200_001; id += 2) {
      table.add(fakeStream(id))
      if (id > 60) assert.ok(table.delete(id - 58))
    }
    assert.equal(table.get(1)?.id, 1)
  })

  test('takes the largest ids', () => {
    const table = new StreamTable()
    table.add(fakeStream(0xffff_ffff))
    table.add(fakeStream(0xffff_fffe))
    assert.equal(table.get(0xffff_ffff)?.id, 0xffff_ffff)
    assert.ok(table.delete(0xffff_fffe))
    assert.equal(table.size, 1)
  })
})
