import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MATRIX } from './matrix.ts'
import { parseOptions, UsageError } from './options.ts'

test('without words every driver is run, and the table is for people', () => {
  const options = parseOptions([])
  assert.equal(options.entries.length, MATRIX.length)
  assert.deepEqual([options.json, options.native, options.verbose, options.help], [false, false, false, false])
})

test('names select drivers, in the order of the table', () => {
  const { entries, json } = parseOptions(['ioredis', '--json', 'pg'])
  assert.deepEqual(
    entries.map(({ name }) => name),
    ['pg', 'ioredis'],
  )
  assert.equal(json, true)
})

test('a driver and an option that do not exist are refused, the former with those that do', () => {
  assert.throws(() => parseOptions(['oracle']), { name: 'UsageError', message: /no driver "oracle"; there are pg, / })
  assert.throws(() => parseOptions(['--jsn']), UsageError)
})
