import assert from 'node:assert/strict'
import test from 'node:test'
import { parseDuration } from './duration.ts'

const good: readonly (readonly [text: string, ms: number])[] = [
  ['0', 0],
  ['0s', 0],
  ['1ms', 1],
  ['500ms', 500],
  ['30s', 30_000],
  ['1.5s', 1500],
  ['0.001s', 1],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['596h', 2_145_600_000],
]

for (const [text, ms] of good) {
  test(`${text} is ${ms} ms`, () => assert.equal(parseDuration(text), ms))
}

for (const text of [
  '',
  '1',
  '30',
  's',
  '-1s',
  '+1s',
  '1 s',
  '1S',
  '1d',
  '1e3s',
  '.5s',
  '1.s',
  '1s ',
  '597h',
  '99999999999s',
]) {
  test(`${JSON.stringify(text)} is no duration`, () => assert.equal(parseDuration(text), undefined))
}
