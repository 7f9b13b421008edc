import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deferred } from './deferred.ts'

test('it settles whoever asks, before or after', async () => {
  const deferred = new Deferred<number>()
  const early = deferred.promise
  assert.equal(deferred.settled, false)
  deferred.resolve(5)
  assert.equal(deferred.settled, true)
  assert.equal(deferred.promise, early)
  assert.equal(await early, 5)
  const late = new Deferred<number>()
  late.reject(new RangeError('no'))
  await assert.rejects(late.promise, RangeError)
})

test('the first outcome stays', async () => {
  const deferred = new Deferred<string>()
  deferred.resolve('first')
  deferred.resolve('second')
  deferred.reject(new Error('third'))
  assert.equal(await deferred.promise, 'first')
})

test('undefined is an outcome, and a reason', async () => {
  const resolved = new Deferred<void>()
  resolved.resolve(undefined)
  assert.equal(await resolved.promise, undefined)
  const rejected = new Deferred<void>()
  rejected.reject(undefined)
  await assert.rejects(rejected.promise, (reason) => reason === undefined)
})
