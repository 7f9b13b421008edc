import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PROGRAM as CHAOS } from '../../chaos/options.ts'
import { PROGRAM as FUZZ } from '../../fuzz/options.ts'
import { parseSeededOptions, UsageError } from './seeded-options.ts'

const newSeed = (): number => 42

test('without options each program runs for its own time, with a new seed', () => {
  assert.deepEqual(parseSeededOptions([], CHAOS, newSeed), { minutes: 2, seed: 42, json: false, help: false })
  assert.deepEqual(parseSeededOptions([], FUZZ, newSeed), { minutes: 1, seed: 42, json: false, help: false })
})

test('minutes, seed and form are what was asked for', () => {
  const options = parseSeededOptions(['--minutes', '0.5', '--seed=-7', '--json'], CHAOS, newSeed)
  assert.deepEqual(options, { minutes: 0.5, seed: -7, json: true, help: false })
  assert.equal(parseSeededOptions(['--help'], FUZZ, newSeed).help, true)
})

test('what cannot be used is refused by name', () => {
  const bad: readonly (readonly [words: string[], message: RegExp])[] = [
    [['--minutes', '0'], /--minutes: expected a number from 0\.5 to 1440, got "0"/],
    [['--minutes', 'x'], /--minutes.*got "x"/],
    [['--minutes', ''], /--minutes.*got ""/],
    [['--seed', '1.5'], /--seed: expected a whole number of 32 bits, got "1\.5"/],
    [['--seed', '99999999999'], /--seed/],
    [['--speed', '1'], /--speed/],
    [['more'], /more/],
  ]
  for (const [words, message] of bad) {
    assert.throws(
      () => parseSeededOptions(words, CHAOS, newSeed),
      (error) => error instanceof UsageError && message.test(error.message),
      words.join(' '),
    )
  }
  assert.throws(() => parseSeededOptions(['--minutes', '0'], FUZZ, newSeed), /from 0\.01 to 1440/)
})
