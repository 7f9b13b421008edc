import assert from 'node:assert/strict'
import { test } from 'node:test'
import { remember } from './remember.ts'

test('a result is computed once, undefined included', () => {
  const asked: string[] = []
  const lookup = remember((text) => {
    asked.push(text)
    return text === 'none' ? undefined : text.length
  })
  assert.deepEqual([lookup('one'), lookup('none'), lookup('one'), lookup('none')], [3, undefined, 3, undefined])
  assert.deepEqual(asked, ['one', 'none'])
})

test('a failure is not remembered', () => {
  let failing = true
  const lookup = remember(() => {
    if (failing) throw new Error('not yet')
    return 'there'
  })
  assert.throws(() => lookup('x'), /not yet/)
  failing = false
  assert.equal(lookup('x'), 'there')
})

test('only so many results are kept, and the oldest go first', () => {
  let computed = 0
  const lookup = remember((text) => {
    computed += 1
    return text
  })
  for (let at = 0; at <= 1_024; at += 1) lookup(`${at}`)
  lookup('1024')
  assert.equal(computed, 1_025)
  lookup('0')
  assert.equal(computed, 1_026)
})
