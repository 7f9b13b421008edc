import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seeded } from '../random.ts'
import { FrameQueue } from './impairment.ts'

const frame = (number: number): Uint8Array => Uint8Array.of(number)

/** A queue, and what it has sent. */
function queue(seed = 1): { queue: FrameQueue; sent: number[] } {
  const sent: number[] = []
  return { sent, queue: new FrameQueue((bytes) => void sent.push(bytes[0] ?? -1), seeded(seed)) }
}

test('unimpaired, a frame leaves at once', () => {
  const { queue: wire, sent } = queue()
  wire.add(frame(1), { delayMs: 0, loss: 0, reorder: 0 }, 0)
  assert.deepEqual(sent, [1])
})

test('a delayed frame leaves when it is due, in order', () => {
  const { queue: wire, sent } = queue()
  const slow = { delayMs: 300, loss: 0, reorder: 0 }
  wire.add(frame(1), slow, 0)
  wire.add(frame(2), slow, 100)
  wire.flush(299)
  assert.deepEqual(sent, [])
  wire.flush(300)
  assert.deepEqual(sent, [1])
  wire.flush(1_000)
  assert.deepEqual(sent, [1, 2])
})

test('as many are lost, and as many overtake, as was asked for', () => {
  const { queue: wire, sent } = queue()
  for (let number = 0; number < 900; number += 1) {
    wire.add(frame(number % 100), { delayMs: 10, loss: 0.03, reorder: 0.25 }, 0)
  }
  const overtook = sent.length
  wire.flush(10)
  assert.ok(overtook > 150 && overtook < 300, `${overtook}`)
  assert.ok(sent.length > 840 && sent.length < 900, `${sent.length}`)
})

test('what does not fit is dropped', () => {
  const { queue: wire, sent } = queue()
  for (let number = 0; number < 1_500; number += 1) wire.add(frame(1), { delayMs: 10, loss: 0, reorder: 0 }, 0)
  wire.flush(10)
  assert.equal(sent.length, 1_000)
})
