import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isByKernel } from './kills.ts'

const kills = [{ from: '10.78.1.2', atMs: 5_000 }]
const finding = { from: '10.78.1.2', atMs: 5_100, early: true, problem: '' }

test('an early end from a connector that was just killed is the kernel’s', () => {
  assert.equal(isByKernel(finding, kills), true)
})

test('nothing else is', () => {
  assert.equal(isByKernel(finding, []), false)
  assert.equal(isByKernel({ ...finding, early: false }, kills), false, 'a wrong byte')
  assert.equal(isByKernel({ ...finding, from: '10.78.2.2' }, kills), false, 'another connector')
  assert.equal(isByKernel({ ...finding, atMs: 4_999 }, kills), false, 'before it was killed')
  assert.equal(isByKernel({ ...finding, atMs: 6_001 }, kills), false, 'long after')
})
