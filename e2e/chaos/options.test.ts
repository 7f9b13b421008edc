import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOptions, UsageError } from './options.ts'

const newSeed = (): number => 42

test('without options it runs for two minutes, with a new seed', () => {
  assert.deepEqual(parseOptions([], newSeed), { minutes: 2, seed: 42, json: false, help: false })
})

test('minutes, seed and form are what was asked for', () => {
  const options = parseOptions(['--minutes', '0.5', '--seed=-7', '--json'], newSeed)
  assert.deepEqual(options, { minutes: 0.5, seed: -7, json: true, help: false })
  assert.equal(parseOptions(['--help'], newSeed).help, true)
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
      () => parseOptions(words, newSeed),
      (error) => error instanceof UsageError && message.test(error.message),
      words.join(' '),
    )
  }
})
