import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import test from 'node:test'
import { listenForStop } from './stop-signals.ts'

interface Bench {
  readonly source: EventEmitter
  readonly clock: { ms: number }
  readonly exits: number[]
  readonly stops: ReturnType<typeof listenForStop>
}

function bench(): Bench {
  const source = new EventEmitter()
  const clock = { ms: 1000 }
  const exits: number[] = []
  const stops = listenForStop(
    source,
    () => exits.push(clock.ms),
    () => clock.ms,
  )
  return { source, clock, exits, stops }
}

for (const name of ['SIGINT', 'SIGTERM']) {
  test(`the first ${name} stops, the second aborts, the third exits`, () => {
    const { source, clock, exits, stops } = bench()
    assert.deepEqual([stops.signal.aborted, stops.abort.aborted], [false, false])
    source.emit(name)
    assert.deepEqual([stops.signal.aborted, stops.abort.aborted], [true, false])
    clock.ms += 1000
    source.emit(name)
    assert.deepEqual([stops.signal.aborted, stops.abort.aborted], [true, true])
    assert.deepEqual(exits, [])
    clock.ms += 1000
    source.emit(name)
    assert.deepEqual(exits, [3000])
  })
}

test('one Ctrl-C that arrives two or three times is one', () => {
  const { source, clock, stops } = bench()
  source.emit('SIGINT')
  clock.ms += 100
  source.emit('SIGINT')
  clock.ms += 149
  source.emit('SIGTERM')
  assert.equal(stops.abort.aborted, false)
  clock.ms += 1
  source.emit('SIGINT')
  assert.equal(stops.abort.aborted, true)
})

test('another reason to stop counts as a signal', () => {
  const { stops } = bench()
  stops.stop()
  assert.equal(stops.signal.aborted, true)
})

test('disposing stops listening', () => {
  const { source, stops } = bench()
  stops[Symbol.dispose]()
  assert.equal(source.listenerCount('SIGINT') + source.listenerCount('SIGTERM'), 0)
})
