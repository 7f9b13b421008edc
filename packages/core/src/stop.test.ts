import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Stop } from './stop.ts'
import type { StopSignal } from './stop.ts'

test('those who listen are told once, with the reason of the first abort', () => {
  const stop = new Stop()
  const told: unknown[] = []
  const gone = (): number => told.push('gone')
  stop.addEventListener('abort', () => told.push(stop.reason))
  stop.addEventListener('abort', gone)
  stop.removeEventListener('abort', gone)
  assert.equal(stop.aborted, false)
  stop.abort('enough')
  stop.abort('again')
  assert.deepEqual([stop.aborted, told], [true, ['enough']])
})

test('who comes after the abort is told nothing, as by an AbortSignal', () => {
  const stop = new Stop()
  const told = (): never => assert.fail('told')
  stop.abort('enough')
  stop.addEventListener('abort', told)
  stop.removeEventListener('abort', told)
})

test('a listener that another takes away is not told, as by an AbortSignal', () => {
  const stop = new Stop()
  const told: string[] = []
  const second = (): number => told.push('second')
  stop.addEventListener('abort', () => {
    told.push('first')
    stop.removeEventListener('abort', second)
  })
  stop.addEventListener('abort', second)
  stop.abort(undefined)
  assert.deepEqual(told, ['first'])
})

test('an AbortSignal is one too', () => {
  const controller = new AbortController()
  const signal: StopSignal = controller.signal
  let told = 0
  signal.addEventListener('abort', () => (told += 1), { once: true })
  controller.abort()
  assert.deepEqual([signal.aborted, told], [true, 1])
})
